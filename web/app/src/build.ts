// What only the build knows; build.mjs puts it in.

declare const __VERSION__: string;
declare const __WORKER__: string;
declare const __CORE__: string;
declare const __CORE_HASH__: string;

/** Names the content of all files together. */
export const VERSION: string = __VERSION__;
/** Where the script of the core's worker is. */
export const WORKER: string = __WORKER__;
/** Where the core is, as WebAssembly. */
export const CORE: string = __CORE__;
/** SHA-256 of it, in Base64. */
export const CORE_HASH: string = __CORE_HASH__;
