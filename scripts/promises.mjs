/** An id of the semantics page, as it stands in its tables and before the titles of tests. */
const id = '[A-K]\\d+b?'

/**
 * The promises about processes in the semantics page, in its order: rows of tables that begin with one id or several. A
 * dagger behind the ids says that OTP's own shape is another one.
 */
export function promisesIn(page) {
  const row = new RegExp(`^\\| (${id}(?:, ${id})*)( †)? \\| (.+?) \\|`, 'gm')
  return [...page.matchAll(row)].flatMap(([, ids, differs, text]) =>
    ids
      .split(', ')
      .map((one) => ({ id: one, text: plain(text), differs: differs !== undefined || one.startsWith('K') })),
  )
}

/** The ids that the title of a test begins with. */
export function idsOf(title) {
  return new RegExp(`^${id}(?:, ${id})*(?= )`).exec(title)?.[0].split(', ') ?? []
}

const plain = (text) => text.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1').replaceAll('`', '')
