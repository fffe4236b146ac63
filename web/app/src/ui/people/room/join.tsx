// Entering a channel by its address or a link.

import { useSignal } from "@preact/signals";

import { fill, words } from "../../../i18n";
import { go } from "../../../route";
import { useStore } from "../../../state/use";
import { Button, Group, Page, Row, TextField } from "../../kit";
import { parseLink } from "../links";
import { problemText } from "../problem";
import { reasonOf, reasonText } from "../../reason";
import { AskToJoin, canAsk } from "./requests";
import "../people.css";

export function JoinRoom({ address: given }: { address: string | null }) {
  const store = useStore();
  const w = words().rooms;
  const typed = useSignal(given ?? "");
  const nick = useSignal("");
  const password = useSignal("");
  const asksPassword = useSignal(false);
  const problem = useSignal<string | null>(null);
  const closed = useSignal(false);
  const busy = useSignal(false);
  const link = parseLink(typed.value);
  const address = link?.is === "room" || link?.is === "person" ? link.address : null;
  const inside = address !== null && store.room(address)?.state.is === "in";
  const enter = async (event: Event) => {
    event.preventDefault();
    if (address === null) {
      problem.value = w.join.wrong;
      return;
    }
    if (store.contact(address)?.inRoster) {
      problem.value = w.join.person;
      return;
    }
    if (inside) return go({ at: "chat", address, message: null }, true);
    busy.value = true;
    const given = link?.is === "room" ? link.password : null;
    const outcome = await store.ask({
      do: "joinRoom",
      address,
      nick: nick.value.trim() || null,
      password: password.value || given,
    });
    busy.value = false;
    if (outcome.is !== "failed") return go({ at: "chat", address, message: null }, true);
    const state = store.room(address)?.state;
    if (state?.is === "refused") {
      closed.value = canAsk(state.reason);
      asksPassword.value ||= reasonOf(state.reason)?.code === "roomPassword";
      problem.value = fill(words().people.problems.refused, { reason: reasonText(state.reason) });
    } else {
      problem.value = problemText(outcome.problem);
    }
  };
  return (
    <Page title={w.join.title}>
      <form class="people-form" noValidate onSubmit={(event) => void enter(event)}>
        <TextField
          label={w.join.address}
          hint={w.join.addressHint}
          inputMode="email"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          enterkeyhint="go"
          value={typed.value}
          error={problem.value}
          onInput={(value) => {
            typed.value = value;
            problem.value = null;
            closed.value = false;
          }}
        />
        <TextField
          label={w.join.nick}
          hint={w.join.nickHint}
          autocomplete="off"
          maxLength={60}
          placeholder={store.account.value?.nickname ?? ""}
          value={nick.value}
          onInput={(value) => (nick.value = value)}
        />
        {asksPassword.value && (
          <TextField
            label={w.join.password}
            hint={w.join.passwordHint}
            type="password"
            autocomplete="off"
            value={password.value}
            onInput={(value) => (password.value = value)}
          />
        )}
        <Button kind="primary" type="submit" busy={busy.value} wide>
          {inside ? w.join.open : w.join.enter}
        </Button>
        {closed.value && address !== null && <AskToJoin address={address} />}
      </form>
      <Group>
        <Row icon="globe" label={w.newChannel} hint={w.newChannelHint} leads onClick={() => go({ at: "channel" })} />
      </Group>
    </Page>
  );
}
