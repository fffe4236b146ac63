// The content policy of the product, from where the server has it, for pages that development and tests serve
// themselves.

import { readFile } from "node:fs/promises";

const PLACE = new URL("../crates/server/src/http/web/policy.txt", import.meta.url);

/**
 * The policy as a header. `change` adds sources to a directive, or leaves it out where it is `null`. These
 * pages have their scripts anywhere, and no files of others beside them.
 */
export async function contentPolicy(change = {}) {
  const directives = (await readFile(PLACE, "utf8")).replace(/\{\w+\}/g, "'self'").trim().split("\n");
  return directives
    .map((directive) => {
      const more = change[directive.split(" ", 1)[0]];
      return more === null ? null : [directive, more ?? []].flat().join(" ");
    })
    .filter((directive) => directive !== null)
    .join("; ");
}
