// The style sheets of all components as one file. Parts of the page are loaded when they are needed,
// their styles with the first one: a bundler would load neither late styles nor shared ones once.

import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));

/** The kit comes first, so that what is made of it can differ from it. */
const FIRST = ["src/ui/kit/base.css"];

/** Options of esbuild for the one file: imports of every sheet under `src`. */
export async function styles() {
  const found = await readdir(join(HERE, "src"), { recursive: true });
  const sheets = found.filter((path) => path.endsWith(".css")).map((path) => `src/${path}`);
  const kit = (path) => (path.startsWith("src/ui/kit/") ? 0 : 1);
  sheets.sort((a, b) => kit(a) - kit(b) || (a < b ? -1 : 1));
  const contents = [...new Set([...FIRST, ...sheets])].map((path) => `@import "./${path}";`).join("\n");
  return { stdin: { contents, resolveDir: HERE, sourcefile: "styles.css", loader: "css" }, bundle: true };
}

/** Leaves the sheets out of the scripts that import them. */
export const apart = {
  name: "styles apart",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, () => ({ contents: "", loader: "js" }));
  },
};
