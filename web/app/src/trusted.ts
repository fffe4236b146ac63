// Trusted Types: the page's policy allows no text where a browser would run it, and no address of a
// script but those of this list.

import { WORKER } from "./build";

interface Policy {
  createScriptURL(url: string): string;
}

interface Factory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy;
}

const SCRIPTS = [WORKER, "/sw.js"];

let policy: Policy | undefined;

/** The address of one of the app's own scripts, in the form that `Worker` and `register` take. */
export function script(url: string): string {
  const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes;
  if (!factory) return checked(url);
  policy ??= factory.createPolicy("clownfish", { createScriptURL: checked });
  return policy.createScriptURL(url);
}

function checked(url: string): string {
  if (!SCRIPTS.includes(url)) throw new TypeError(`not a script of this app: ${url}`);
  return url;
}
