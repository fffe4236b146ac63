// Addresses as people type them: name@server (RFC 7622). The core has the last word; what is here
// says early, and in time to be put right, what cannot be an address.

/** Why something is no address. */
export type AddressProblem =
  | { is: "empty" }
  | { is: "noServer" }
  | { is: "noName" }
  | { is: "twoAts" }
  | { is: "space" }
  | { is: "character"; character: string }
  | { is: "server" }
  | { is: "long" };

export type Address =
  | { is: "right"; address: string; name: string; server: string }
  | { is: "wrong"; problem: AddressProblem; suggestion: string | null };

/** Longest part of an address, in bytes of UTF-8 (RFC 7622 §3). */
const LONGEST_PART = 1023;
/** Longest name of a server (RFC 1035 §2.3.4). */
const LONGEST_SERVER = 253;
/** Characters that a name cannot have (RFC 7622 §3.3.1), besides spaces and control characters. */
const FORBIDDEN = /["&'/:<>@]/u;
/** What a name is made of (RFC 8264 §4.2): letters, digits and their marks, and all of ASCII. */
const ALLOWED = /^[\p{L}\p{N}\p{M}\u0021-\u007e\u00b7\u0375\u200c\u200d]$/u;

/** The part before the @ as servers compare it. */
export function prepared(name: string): string {
  return name.normalize("NFC").toLowerCase().normalize("NFC");
}

/** What is wrong with the part before the @, if anything. */
export function nameProblem(name: string): AddressProblem | null {
  if (name === "") return { is: "noName" };
  for (const character of prepared(name)) {
    if (/\s/u.test(character)) return { is: "space" };
    const compatible = character.normalize("NFKC") === character;
    if (!ALLOWED.test(character) || FORBIDDEN.test(character) || !compatible) {
      return { is: "character", character };
    }
  }
  return bytes(name) > LONGEST_PART ? { is: "long" } : null;
}

/** Whether this can be the name of a server. */
export function isServer(server: string): boolean {
  if (server === "" || server.length > LONGEST_SERVER || /[\s,;:/?#@%\\^|<>"]/u.test(server)) return false;
  if (server.startsWith(".") || server.includes("..")) return false;
  let host: string;
  try {
    host = new URL(`http://${server}/`).hostname;
  } catch {
    return false;
  }
  return host.split(".").every((label) => label.length <= 63 && !label.startsWith("-") && !label.endsWith("-"));
}

/** Reads an address. A resource at its end is left out: it is one device, not a person. */
export function parseAddress(typed: string): Address {
  const text = typed.trim().replace(/^xmpp:/iu, "").normalize("NFC");
  const wrong = (problem: AddressProblem, suggestion: string | null = null): Address => ({
    is: "wrong",
    problem,
    suggestion: suggestion !== null && suggestion !== text && isRight(suggestion) ? suggestion : null,
  });
  if (text === "") return wrong({ is: "empty" });
  if (/\s/u.test(text)) return wrong({ is: "space" }, text.replace(/\s+/gu, ""));
  const at = text.indexOf("@");
  if (at < 0) return wrong({ is: "noServer" });
  const name = text.slice(0, at);
  const server = (text.slice(at + 1).split("/")[0] ?? "").replace(/\.$/u, "").toLowerCase();
  if (text.slice(at + 1).split("/")[0]?.includes("@")) return wrong({ is: "twoAts" });
  const problem = nameProblem(name);
  if (problem) return wrong(problem);
  if (server === "") return wrong({ is: "noServer" });
  if (!isServer(server)) {
    const mended = server.replace(/[,;:]/gu, ".").replace(/\.{2,}/gu, ".").replace(/^\.|\.$/gu, "");
    return wrong({ is: "server" }, `${name}@${mended}`);
  }
  const address = `${prepared(name)}@${server}`;
  return { is: "right", address, name: prepared(name), server };
}

function isRight(text: string): boolean {
  return parseAddress(text).is === "right";
}

/**
 * A server that was probably meant: one of those known, one or two slips away. Nothing for one that
 * is known.
 */
export function meantServer(server: string, known: readonly string[]): string | null {
  if (known.includes(server)) return null;
  const most = server.length < 8 ? 1 : 2;
  let best: { server: string; slips: number } | null = null;
  for (const one of known) {
    if (Math.abs(one.length - server.length) > most) continue;
    const slips = distance(server, one);
    if (slips <= most && (best === null || slips < best.slips)) best = { server: one, slips };
  }
  return best?.server ?? null;
}

/** The server of an address. */
export function serverOf(address: string): string {
  return address.slice(address.indexOf("@") + 1);
}

/** The name in an address, or the whole if it is a server's. */
export function nameOf(address: string): string {
  const at = address.indexOf("@");
  return at > 0 ? address.slice(0, at) : address;
}

/** Letters put in, left out, exchanged, or turned round between two words. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const turned = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next[j] = Math.min(
        at(row, j) + 1,
        at(next, j - 1) + 1,
        at(row, j - 1) + (same ? 0 : 1),
        turned ? at(before, j - 2) + 1 : Infinity,
      );
    }
    before = row;
    row = next;
  }
  return at(row, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
