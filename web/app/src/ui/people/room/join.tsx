// Entering a channel by its address, or a group by a link with a secret in it.

import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { cutAt } from "../../../cut";
import { fill, words } from "../../../i18n";
import { go } from "../../../route";
import { useStore } from "../../../state/use";
import { Button, Group, Page, Row, TextField } from "../../kit";
import { led } from "../../welcome/arrival";
import { LONGEST_NAME, parseLink, type RoomLink } from "../links";
import { problemText } from "../problem";
import { reasonOf, reasonText } from "../../reason";
import { AskToJoin, canAsk } from "./asking";
import "../people.css";

/** What stands on the page. */
interface Wish {
  typed: Signal<string>;
  nick: Signal<string>;
  password: Signal<string>;
  /** A link with a secret, which is not shown. */
  secret: Signal<RoomLink | null>;
  asksPassword: Signal<boolean>;
  problem: Signal<string | null>;
  closed: Signal<boolean>;
  busy: Signal<boolean>;
}

export function JoinRoom({ address: given, link: from }: { address: string | null; link: RoomLink | null }) {
  const store = useStore();
  const w = words().rooms;
  const wish: Wish = {
    typed: useSignal(given ?? ""),
    nick: useSignal(""),
    password: useSignal(""),
    // What opened the page may have waited for somebody to sign in.
    secret: useSignal(secretOf(from) ?? (led.peek()?.address === given ? led.peek() : null)),
    asksPassword: useSignal(false),
    problem: useSignal<string | null>(null),
    closed: useSignal(false),
    busy: useSignal(false),
  };
  const { typed, nick, secret, problem, closed, busy } = wish;
  useEffect(() => {
    const link = parseLink(given ?? "");
    // Somebody had it in the address bar, where it does not stay.
    if (link?.is === "room") go({ at: "join", address: link.address, link }, true);
    else if (secretOf(from)) secret.value = from;
  }, [given, from]);
  const take = (value: string) => {
    led.value = null;
    typed.value = value;
    problem.value = null;
    closed.value = false;
    const link = parseLink(value);
    secret.value = link?.is === "room" ? secretOf(link) : null;
  };
  const address = secret.value?.address ?? addressIn(typed.value);
  const inside = address !== null && store.room(address)?.state.is === "in";
  const enter = useEntering(wish, address, inside);
  return (
    <Page title={secret.value ? w.join.groupTitle : w.join.title}>
      <form class="people-form" noValidate onSubmit={(event) => void enter(event)}>
        {secret.value ? (
          <LinkedGroup link={secret.value} problem={problem.value} />
        ) : (
          <TextField
            key="address"
            label={w.join.address}
            hint={w.join.addressHint}
            inputMode="email"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            enterkeyhint="go"
            value={typed.value}
            error={problem.value}
            onInput={take}
          />
        )}
        <TextField
          key="nick"
          label={w.join.nick}
          hint={w.join.nickHint}
          autocomplete="off"
          maxLength={60}
          placeholder={store.account.value?.nickname ?? ""}
          value={nick.value}
          onInput={(value) => (nick.value = value)}
        />
        {wish.asksPassword.value && (
          <TextField
            label={w.join.password}
            hint={w.join.passwordHint}
            type="password"
            autocomplete="off"
            value={wish.password.value}
            onInput={(value) => (wish.password.value = value)}
          />
        )}
        <Button kind="primary" type="submit" busy={busy.value} wide>
          {inside ? w.join.open : w.join.enter}
        </Button>
        {secret.value && (
          <Button kind="quiet" wide onClick={() => take("")}>
            {w.join.other}
          </Button>
        )}
      </form>
      {closed.value && address !== null && <AskToJoin address={address} nick={nick.value.trim() || null} />}
      {!secret.value && (
        <Group>
          <Row icon="globe" label={w.newChannel} hint={w.newChannelHint} leads onClick={() => go({ at: "channel" })} />
        </Group>
      )}
    </Page>
  );
}

/** Where a link with a secret leads, by name as far as it is known. */
function LinkedGroup({ link, problem }: { link: RoomLink; problem: string | null }) {
  const w = words().rooms.join;
  const name = useStore().room(link.address)?.name ?? cutAt(link.name ?? link.address, LONGEST_NAME);
  return (
    <>
      <h2 class="people-heading" dir="auto">
        {fill(w.group, { name })}
      </h2>
      {name !== link.address && <p class="people-text">{<bdi>{link.address}</bdi>}</p>}
      <p class="people-text">{w.groupText}</p>
      {problem !== null && (
        <p class="people-text" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}

/** What is done when the form is sent. */
function useEntering(wish: Wish, address: string | null, inside: boolean) {
  const store = useStore();
  const w = words().rooms.join;
  const { nick, password, secret, asksPassword, problem, closed, busy } = wish;
  return async (event: Event) => {
    event.preventDefault();
    if (address === null) {
      problem.value = w.wrong;
      return;
    }
    if (store.contact(address)?.inRoster) {
      problem.value = w.person;
      return;
    }
    if (inside) return go({ at: "chat", address, message: null }, true);
    busy.value = true;
    const outcome = await store.ask({
      do: "joinRoom",
      address,
      nick: nick.value.trim() || null,
      password: password.value || (secret.value?.password ?? null),
    });
    busy.value = false;
    led.value = null;
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
}

/** The same link, if it has a secret. */
function secretOf(link: RoomLink | null): RoomLink | null {
  return link?.password ? link : null;
}

function addressIn(typed: string): string | null {
  const link = parseLink(typed);
  return link?.is === "room" || link?.is === "person" ? link.address : null;
}
