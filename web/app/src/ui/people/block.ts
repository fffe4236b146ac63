import { fill, words } from "../../i18n";
import type { Store } from "../../state/store";
import { confirm, toast } from "../kit";
import { problemText } from "./problem";

/** Blocks somebody after asking, and reports them if wanted. Whether it was done. */
export async function block(store: Store, address: string, name: string, report: boolean): Promise<boolean> {
  const w = words().people;
  const sure = await confirm({
    title: fill(report ? w.blocking.reportTitle : w.blocking.title, { name }),
    text: report ? w.blocking.reportText : w.blocking.text,
    action: report ? w.requests.blockReport : w.requests.block,
    danger: true,
  });
  if (!sure) return false;
  const outcome = await store.ask({ do: "block", address, report });
  if (outcome.is === "failed") {
    toast({ text: problemText(outcome.problem), problem: true });
    return false;
  }
  if (store.conversation(address)?.request) await store.ask({ do: "hide", address });
  toast({
    text: fill(w.blocking.done, { name }),
    action: { label: w.blocking.unblock, run: () => void unblock(store, address, name) },
  });
  return true;
}

export async function unblock(store: Store, address: string, name: string): Promise<void> {
  const outcome = await store.ask({ do: "unblock", address });
  if (outcome.is === "failed") toast({ text: problemText(outcome.problem), problem: true });
  else toast(fill(words().people.blocking.undone, { name }));
}
