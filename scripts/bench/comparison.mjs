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
        const later = of(figure.title).find(({ again }) => again)?.p50
        if (figure.against === undefined) return { ...figure, later }
        const ratios = of(figure.against).map(({ p50 }) => figure.p50 / p50)
        return { ...figure, later, ratio: { lowest: Math.min(...ratios), highest: Math.max(...ratios) } }
      }),
  }
}
