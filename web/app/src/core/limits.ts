// Made from the core; do not edit. `UPDATE=1 cargo test --workspace --lib types` makes it anew.

/** Longest text of one message, in bytes of UTF-8. */
export const MOST_TEXT_BYTES = 65536;
