import { useState } from "preact/hooks";

import type { Command, Outcome } from "../../core/types";
import { useStore } from "../../state/use";
import { toast } from "../kit";
import { askFor } from "../ask";

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
    const outcome = await askFor(store, command);
    setBusy(false);
    if (outcome && done !== undefined) toast(done);
    return outcome;
  };
  return { busy, ask };
}
