// Serves the page on the sample, built anew for every load:  node dev/serve.mjs [PORT]
// Without a port it takes a free one and says which.

import { build, context } from "esbuild";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

import { contentPolicy } from "../../policy.mjs";
import { apart, styles } from "../styles.mjs";

const HTML = `<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content">
<title>Clownfish</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/dev.css">
</head>
<body><script src="/dev.js" type="module"></script></body>
</html>
`;

// Nearly as the product is served. Pictures of the sample may be in addresses (`data:`), and anybody may make
// a policy for types; that the product refuses both, the tests against a server see.
const POLICY = await contentPolicy({ "img-src": "data:", "trusted-types": null });

/** Starts the server; its address and what stops it. */
export async function serve(port = 0, { minify = false } = {}) {
  const bundle = await context({
    entryPoints: [fileURLToPath(new URL("dev.tsx", import.meta.url))],
    bundle: true,
    splitting: true,
    plugins: [apart],
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    outdir: "/out",
    write: false,
    minify,
    define: { __VERSION__: '"sample"', __WORKER__: '""', __CORE__: '""', __CORE_HASH__: '""' },
    sourcemap: minify ? false : "inline",
    logLevel: "warning",
  });
  const files = async () => {
    const { outputFiles } = await bundle.rebuild();
    const sheets = await build({ ...(await styles()), write: false, minify, logLevel: "warning" });
    const made = new Map(outputFiles.map((file) => [file.path.replace("/out", ""), file.contents]));
    return made.set("/dev.css", sheets.outputFiles[0].contents);
  };
  let built = await files();
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    response.setHeader("cache-control", "no-store");
    if (path === "/") {
      if (!minify) built = await files().catch(() => built);
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.setHeader("content-security-policy", POLICY);
      response.end(HTML);
      return;
    }
    if (path.startsWith("/icons/")) {
      const icon = new URL(`../public/icons/${basename(path)}`, import.meta.url);
      response.setHeader("content-type", path.endsWith(".svg") ? "image/svg+xml" : "image/png");
      response.end(await readFile(icon).catch(() => ""));
      return;
    }
    const file = built.get(path);
    if (!file) {
      response.statusCode = 404;
      response.end();
      return;
    }
    response.setHeader("content-type", path.endsWith(".css") ? "text/css" : "text/javascript");
    response.end(file);
  });
  await new Promise((ready) => server.listen(port, "127.0.0.1", ready));
  return {
    url: `http://localhost:${server.address().port}/`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await bundle.dispose();
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await serve(Number(process.argv[2] ?? 0));
  console.log(url);
}
