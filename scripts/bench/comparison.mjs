/**
 * Adds to each arm how much longer it takes than the one it is held against, by its measurements before and after the
 * others, and what those were of an arm that was measured twice.
 */
export function comparison({ figures, ...facts }) {
  const of = (title) => figures.filter((figure) => figure.title === title)
  return {
    ...facts,
    figures: figures
      .filter(({ again }) => !again)
      .map((figure) => {
        const again = of(figure.title).find(({ again }) => again)
        const quiet = again ? Math.min(figure.quiet, again.quiet) : figure.quiet
        if (figure.against === undefined) return { ...figure, quiet, later: again?.p50 }
        const ratios = of(figure.against).map(({ p50 }) => figure.p50 / p50)
        return {
          ...figure,
          quiet,
          later: again?.p50,
          ratio: { lowest: Math.min(...ratios), highest: Math.max(...ratios) },
        }
      }),
  }
}
