// Other files of the app in front of a server than those that it holds, under the policy that it gives to
// its own. Everything else is passed on to it. Tests do this for the next version, and, for work on the
// page, with the files of web/dist/site when FRONT is set.

import { once } from "node:events";
import { createServer, request } from "node:http";
import { connect } from "node:net";

const TYPES = {
  css: "text/css", html: "text/html", js: "text/javascript", json: "application/json", png: "image/png",
  svg: "image/svg+xml", wasm: "application/wasm", webmanifest: "application/manifest+json",
};

/** Listens on `port` in front of the server on `behind`, with files by their path. */
export async function front(port, behind, files) {
  let served = files;
  const server = createServer(async (asked, answer) => {
    const path = asked.url.split("?")[0];
    const file = asked.method === "GET" && served.get(path === "/" ? "/index.html" : path);
    // What it holds itself is of another version.
    if (!file && path.startsWith("/assets/")) return answer.writeHead(404).end();
    if (!file) return pass(asked, answer, behind);
    const kind = path === "/" ? "html" : path.split(".").at(-1);
    const { headers } = await head(behind, asked.headers.host).catch(() => ({}));
    // The server is gone, which tests do to it.
    if (!headers) return answer.destroy();
    const { worker } = JSON.parse(served.get("/assets.json"));
    for (const [name, value] of Object.entries(headers)) {
      if (!/^(content-security|cross-origin|permissions|referrer|x-)/.test(name)) continue;
      // The script of the worker, which the policy names, has another name in each build.
      answer.setHeader(name, value.replaceAll(/\/worker-\w+\.js/g, worker));
    }
    answer.setHeader("content-type", TYPES[kind] ?? "application/octet-stream");
    answer.setHeader("cache-control", path.startsWith("/assets/") ? "max-age=31536000" : "no-cache");
    answer.end(file);
  });
  const sockets = new Set();
  server.on("upgrade", (asked, socket, begun) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    const there = connect(behind, "127.0.0.1", () => {
      const lines = [];
      for (let at = 0; at < asked.rawHeaders.length; at += 2) lines.push(`${asked.rawHeaders[at]}: ${asked.rawHeaders[at + 1]}`);
      there.write(`${asked.method} ${asked.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      there.write(begun);
      socket.pipe(there).pipe(socket);
    });
    for (const [one, other] of [[socket, there], [there, socket]]) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    /** These are the files now. */
    serve(files) {
      served = files;
    },
    async stop() {
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

async function head(port, host) {
  const asking = request({ port, host: "127.0.0.1", path: "/", method: "HEAD", headers: { host } }).end();
  const [answer] = await once(asking, "response");
  answer.resume();
  return answer;
}

function pass(asked, answer, port) {
  const { method, url, headers } = asked;
  const there = request({ port, host: "127.0.0.1", method, path: url, headers }, (given) => {
    answer.writeHead(given.statusCode, given.headers);
    given.pipe(answer);
  });
  there.on("error", () => answer.destroy());
  asked.pipe(there);
}
