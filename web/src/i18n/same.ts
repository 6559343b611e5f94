/** The same tree of keys with other words at its leaves: what a translation must be. */
export type Same<T> = { [K in keyof T]: T[K] extends string ? string : Same<T[K]> }
