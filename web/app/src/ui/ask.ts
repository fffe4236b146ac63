// Asking the core for something that a person wants, and saying it when that does not work.

import type { Command, Outcome } from "../core/types";
import type { Store } from "../state/store";
import { toast } from "./kit";
import { problemText } from "./people/problem";

/** What became of it; `null` when it did not work, which is said in passing. */
export async function askFor(store: Store, command: Command): Promise<Exclude<Outcome, { is: "failed" }> | null> {
  const outcome = await store.ask(command);
  if (outcome.is !== "failed") return outcome;
  // Whoever gives something up knows.
  if (outcome.problem.kind !== "cancelled") toast({ text: problemText(outcome.problem), problem: true });
  return null;
}

/** Whether it worked. */
export async function ask(store: Store, command: Command): Promise<boolean> {
  return (await askFor(store, command)) !== null;
}
