import { useState } from "preact/hooks";

import type { Command, Outcome } from "../../core/types";
import { useStore } from "../../state/use";
import { toast } from "../kit";
import { problemText } from "./problem";

export interface Asking {
  busy: boolean;
  /** Asks the core; says in passing what went wrong. `null` when it did. */
  ask(command: Command, done?: string): Promise<Exclude<Outcome, { is: "failed" }> | null>;
}

/** Asks for things, one at a time. */
export function useAsk(): Asking {
  const store = useStore();
  const [busy, setBusy] = useState(false);
  const ask: Asking["ask"] = async (command, done) => {
    setBusy(true);
    const outcome = await store.ask(command);
    setBusy(false);
    if (outcome.is === "failed") {
      toast({ text: problemText(outcome.problem), problem: true });
      return null;
    }
    if (done !== undefined) toast(done);
    return outcome;
  };
  return { busy, ask };
}
