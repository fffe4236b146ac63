// The cache and the locks of share.ts, of a test's own. Other windows are names of locks that are held.

/** What waits, by its path, and which locks others have. */
export function fakeShares(paths: readonly string[], others: readonly string[] = []) {
  const kept = new Map<string, Response>(paths.map((path) => [path, new Response("x")]));
  const held = new Set(others);
  const pathOf = (what: string | { url: string }) => new URL(typeof what === "string" ? what : what.url, "https://a.example").pathname;
  const cache = {
    keys: async () => [...kept.keys()].map((path) => ({ url: `https://a.example${path}` })),
    match: async (what: string | { url: string }) => kept.get(pathOf(what))?.clone(),
    put: async (what: string, answer: Response) => void kept.set(pathOf(what), answer),
    delete: async (what: string) => kept.delete(pathOf(what)),
  };
  let there = true;
  const caches = {
    has: async () => there,
    open: async () => {
      there = true;
      return cache;
    },
    delete: async () => {
      there = false;
      kept.clear();
    },
  };
  /** Those who wait for a lock are let in one after the other. */
  const turns = new Map<string, Promise<unknown>>();
  const locks = {
    query: async () => ({ held: [...held].map((name) => ({ name })) }),
    request: async (name: string, ...rest: unknown[]) => {
      const work = rest.at(-1) as (lock: object | null) => unknown;
      const { ifAvailable = false } = (rest.length > 1 ? rest[0] : {}) as { ifAvailable?: boolean };
      if (ifAvailable && held.has(name)) return work(null);
      const turn = (turns.get(name) ?? Promise.resolve()).then(async () => {
        held.add(name);
        try {
          return await work({ name });
        } finally {
          held.delete(name);
        }
      });
      turns.set(name, turn.catch(() => undefined));
      return turn;
    },
  };
  Object.assign(globalThis, { caches });
  Object.assign(globalThis.navigator, { locks });
  return {
    /** What waits. */
    paths: () => [...kept.keys()].sort(),
    /** Which locks somebody has. */
    locked: () => [...held].sort(),
    /** Another window is closed. */
    close: (name: string) => void held.delete(name),
  };
}
