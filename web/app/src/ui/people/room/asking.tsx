// Asking to become a member of a group (XEP-0045 §7.10).

import { useSignal } from "@preact/signals";

import { fill, language, words } from "../../../i18n";
import { useStore } from "../../../state/use";
import { Button, Dialog, TextField } from "../../kit";
import { reasonOf } from "../../reason";
import { longTime } from "../../shell/time";
import { useAsk } from "../ask";
import "../people.css";

/** So many letters are enough to say who one is. */
const LONGEST = 500;

/** Whether somebody whom a room refuses for this reason can ask to be let in. */
export function canAsk(reason: string): boolean {
  return ["roomMembers", "roomLinkOver", "roomSecretOver"].includes(reasonOf(reason)?.code ?? "");
}

/** Asks the admins of a group, under this name or the one that was wanted before; or says that they were asked. */
export function AskToJoin({ address, nick }: { address: string; nick: string | null }) {
  const store = useStore();
  const w = words().rooms.requests;
  const { busy, ask } = useAsk();
  const typed = useSignal("");
  const asking = useSignal(false);
  const asked = store.room(address)?.asked ?? null;
  const send = async (event: Event) => {
    event.preventDefault();
    const said = typed.peek().trim() || null;
    if (await ask({ do: "askToJoin", address, nick, words: said }, w.asked)) asking.value = false;
  };
  if (asked !== null) {
    return (
      <>
        <p class="people-text" role="status">
          {fill(w.askedOn, { time: longTime(asked, language.value) })}
        </p>
        <Button kind="quiet" busy={busy} onClick={() => void ask({ do: "withdrawJoinRequest", address }, w.takenBack)}>
          {w.takeBack}
        </Button>
      </>
    );
  }
  return (
    <>
      <Button onClick={() => (asking.value = true)}>{w.ask}</Button>
      {asking.value && (
        <Dialog
          title={w.askTitle}
          onClose={() => (asking.value = false)}
          actions={
            <Button kind="primary" type="submit" form="ask-to-join" busy={busy}>
              {w.send}
            </Button>
          }
        >
          <form id="ask-to-join" class="people-form" onSubmit={(event) => void send(event)}>
            <TextField
              label={w.words}
              hint={w.wordsHint}
              autocomplete="off"
              autofocus
              maxLength={LONGEST}
              value={typed.value}
              onInput={(value) => (typed.value = value)}
            />
          </form>
        </Dialog>
      )}
    </>
  );
}
