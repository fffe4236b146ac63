// The core is compiled while it comes, and does nothing before its hash was compared. The page names the hash:
// that is in a script whose own hash the document names.
//
// `integrity` of fetch would say the same, but a browser gives out nothing of such an answer before it has all
// of it. The script of the worker itself can be given no hash in any browser, and running one from bytes that
// were compared needs scripts from `blob:`, which the policy refuses. Once the service worker is there, it has
// compared that one too.

/** What came is not the core of this version. */
export class Altered extends Error {}

/** Fetches and compiles a core that has this SHA-256. */
export async function compiled({ url, hash }: { url: string; hash: string }): Promise<WebAssembly.Module> {
  // What a cache of the way here spoiled is fetched past it, once.
  return (await attempt(url, hash, "default")) ?? (await attempt(url, hash, "reload")) ?? refuse(url);
}

/** `null` where something else came. */
async function attempt(url: string, hash: string, cache: RequestCache): Promise<WebAssembly.Module | null> {
  const answer = await fetch(url, { cache });
  if (!answer.ok) throw new Error(`${url} did not come: ${answer.status}`);
  const bytes = answer.clone().arrayBuffer();
  const module = WebAssembly.compileStreaming(answer);
  // Something else may be no program at all; the hash is the better reason.
  module.catch(() => {});
  return (await sha256(await bytes)) === hash ? module : null;
}

async function sha256(bytes: ArrayBuffer): Promise<string> {
  return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))));
}

function refuse(url: string): never {
  throw new Altered(`${url} is not the file that this version consists of`);
}
