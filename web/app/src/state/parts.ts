// Looking through own history: the core looks at some hundreds of messages at a time, so that nothing else waits.

import type { Command, Found, Outcome, Problem } from "../core/types";

/** What is looked for; where a part begins is told by the part before. */
export type Wish = Without<Extract<Command, { do: "search" | "files" }>, "from">;

type Without<All, Name extends string> = All extends unknown ? Omit<All, Name> : never;

/** How far a look through the history got. */
export interface Parts {
  /** All that was found, the newest first. */
  found: Found[];
  /** Parts are still to come. */
  busy: boolean;
  /** There may be more, but enough is found. */
  more: boolean;
  /** Why it ended early. */
  problem: Problem | null;
}

/** A look of which nothing is known yet. */
export const BEGUN: Parts = { found: [], busy: true, more: false, problem: null };

/** Most messages that a search lists. */
export const MOST_FOUND = 200;

/**
 * Asks for one part after the other until everything was looked at, `most` are found, or nobody wants it any more.
 * `show` is told of the first part, of what is found, and last with `busy` false.
 */
export async function lookFor(
  ask: (command: Command) => Promise<Outcome>,
  wish: Wish,
  most: number,
  wanted: () => boolean,
  show: (parts: Parts) => void,
): Promise<void> {
  const found = new Map<string, Found>();
  let from: string | null = null;
  for (;;) {
    const outcome: Outcome = await ask({ ...wish, from });
    if (!wanted()) return;
    if (outcome.is !== "part") {
      const problem = outcome.is === "failed" ? outcome.problem : null;
      return show({ found: [...found.values()], busy: false, more: false, problem });
    }
    // One that got another place meanwhile comes twice.
    for (const one of outcome.messages) found.set(`${one.address} ${one.message.id}`, one);
    const news = from === null || outcome.messages.length > 0;
    from = outcome.next;
    const full = found.size >= most;
    const busy = from !== null && !full;
    if (news || !busy) show({ found: [...found.values()].slice(0, most), busy, more: from !== null && full, problem: null });
    if (!busy) return;
  }
}
