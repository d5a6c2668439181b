/** Plain JSON: what snapshots, events, timers and effects are made of (DESIGN D1). */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }
