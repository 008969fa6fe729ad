/** The registered name of the context with this id, or with the key that its system knows it by. */
export const registered = (id: string): string => `beamline.context.${id}`
