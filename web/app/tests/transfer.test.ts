import assert from "node:assert/strict";
import { test } from "node:test";

/** What the browser tells a worker. */
let violated: (event: object) => void = () => {};
Object.assign(globalThis, {
  addEventListener: (name: string, listener: typeof violated) => name === "securitypolicyviolation" && (violated = listener),
});
const { reachable, unreachable } = await import("../src/core/transfer");

test("in a trial a file is taken from where the page came from", () => {
  const trial = new URL("http://localhost:5280");
  const file = "https://localhost:5443/upload/abc/a%20b.jpg";
  assert.equal(reachable(file, trial), "http://localhost:5280/upload/abc/a%20b.jpg");
  assert.equal(reachable(file, new URL("https://localhost:5443")), file);
  const elsewhere = "https://upload.example.net/x";
  assert.equal(reachable(elsewhere, trial), elsewhere);
});

test("a file where the page may not fetch says so, and one whose server is away that it is away", async () => {
  const url = "https://files.example.net/abc/picture.jpg";
  assert.match((await unreachable(url, 0)).message, /cannot be reached/);
  violated({ blockedURI: "https://other.example.net/x", effectiveDirective: "connect-src" });
  violated({ blockedURI: "inline", effectiveDirective: "connect-src" });
  violated({ blockedURI: "https://files.example.net/x", effectiveDirective: "img-src" });
  assert.match((await unreachable(url, 0)).message, /cannot be reached/);
  // It may come after the failure.
  const told = unreachable(url, 60_000);
  violated({ blockedURI: url, effectiveDirective: "connect-src" });
  assert.match((await told).message, /^files at files\.example\.net are not allowed here/);
});
