import { useSignal } from "@preact/signals";

import type { Contact } from "../../core/types";
import { fill, words } from "../../i18n";
import { go } from "../../route";
import { useStore } from "../../state/use";
import { Avatar, Button, confirm, Group, Icon, Page, Row, TextField, toast } from "../kit";
import { leaves } from "../shell/expected";
import { arrived } from "../welcome/arrival";
import { meantServer, nameOf, parseAddress, serverOf } from "./address";
import { useAsk } from "./ask";
import { parseLink, type Person } from "./links";
import { Card } from "./parts";
import { addressProblemText, problemText } from "./problem";
import { presenceText } from "./presence";
import { QrScan } from "./scan";
import { QrShow } from "./qr-show";
import "./people.css";

/** Contacts that are listed at a time. */
const MOST = 40;
/** So many are seen at a glance: nothing has to find one of them. */
const FEW = 8;

/** Starting a chat: with a contact, or with somebody new by address, link, code or invitation. */
export function AddContact() {
  const w = words().people.add;
  const showing = useSignal(false);
  const scanning = useSignal(false);
  const typed = useSignal(arrived.peek()?.inviter ?? "");
  return (
    <Page title={w.title}>
      <Arrived />
      <Form typed={typed} />
      <Group>
        <Row icon="people" label={words().rooms.newGroup} hint={words().rooms.newGroupHint} leads onClick={() => go({ at: "group" })} />
        <Row
          icon="globe"
          label={words().rooms.joinChannel}
          hint={words().rooms.joinChannelHint}
          leads
          onClick={() => go({ at: "join", address: null })}
        />
      </Group>
      <Group>
        <Row icon="camera" label={w.scan} hint={w.scanHint} onClick={() => (scanning.value = true)} />
        <Row icon="qr" label={w.mine} hint={w.mineHint} onClick={() => (showing.value = true)} />
        <Row
          icon="share"
          label={w.invite}
          hint={w.inviteHint}
          leads
          onClick={() => go({ at: "settings", page: "invite" })}
        />
      </Group>
      <Known />
      {showing.value && <QrShow onClose={() => (showing.value = false)} />}
      {scanning.value && (
        <QrScan
          title={w.scan}
          onClose={() => (scanning.value = false)}
          onFound={(text) => {
            const link = parseLink(text);
            if (link === null) return words().people.scan.wrong;
            scanning.value = false;
            typed.value = text;
            return null;
          }}
        />
      )}
    </Page>
  );
}

/** An invitation was opened by somebody who has an account: for which of the two is it? */
function Arrived() {
  const store = useStore();
  const w = words().people.add;
  const busy = useSignal(false);
  const invitation = arrived.value;
  const account = store.account.value;
  if (!invitation || !account) return null;
  const { inviter, server } = invitation;
  const name = inviter === null ? (server ?? "") : nameOf(inviter);
  const anew = async () => {
    const { signOutTitle, signOutText, signOutQueued, signOut } = words().shell;
    const lost = account.queued > 0 ? ` ${signOutQueued(account.queued)}` : "";
    if (!(await confirm({ title: signOutTitle, text: signOutText + lost, action: signOut, danger: true }))) return;
    busy.value = true;
    // The invitation is still there when the welcome comes.
    const outcome = await leaves(() => store.ask({ do: "signOut" }));
    busy.value = false;
    if (outcome.is === "failed") toast({ text: problemText(outcome.problem), problem: true });
  };
  const stay = () => {
    arrived.value = null;
    if (inviter === null) go({ at: "list" }, true);
  };
  return (
    <Card icon="mail" text={fill(inviter === null ? w.arrivedServer : w.arrived, { name, address: account.address })}>
      <Button disabled={busy.value} onClick={() => void anew()}>
        {w.arrivedAnew}
      </Button>
      <Button kind="primary" disabled={busy.value} onClick={stay}>
        {w.arrivedStay}
      </Button>
    </Card>
  );
}

/** Who was typed or pasted, or why it is nobody. */
function read(text: string): { person: Person } | { problem: string; suggestion: string | null } {
  const w = words().people;
  const link = parseLink(text);
  // Submitting leads on to where it is entered.
  if (link?.is === "room") return { person: { is: "person", address: link.address, name: null, keys: null } };
  if (link?.is === "person") return { person: link };
  if (link?.is === "invitation") {
    if (link.inviter !== null) return { person: { is: "person", address: link.inviter, name: null, keys: null } };
    return { problem: fill(w.add.invitationOnly, { server: link.server ?? "" }), suggestion: null };
  }
  if (/^(xmpp:|https?:)/iu.test(text.trim())) return { problem: w.add.wrongLink, suggestion: null };
  const address = parseAddress(text);
  if (address.is === "right") return { problem: w.add.wrongLink, suggestion: null };
  return { problem: addressProblemText(address.problem), suggestion: address.suggestion };
}

function Form({ typed }: { typed: { value: string } }) {
  const store = useStore();
  const w = words().people.add;
  const name = useSignal("");
  const tried = useSignal(false);
  const { busy, ask } = useAsk();
  const found = read(typed.value);
  const person = "person" in found ? found.person : null;
  const contact = person ? store.contact(person.address) : undefined;
  const self = person !== null && person.address === store.account.value?.address;
  const known = contact?.inRoster === true;
  const start = async (event: Event) => {
    event.preventDefault();
    tried.value = true;
    const link = parseLink(typed.value);
    if (link?.is === "room") return go({ at: "join", address: link.address, link });
    if (!person || self) return;
    const { address, keys } = person;
    if (contact?.blocked && !(await ask({ do: "unblock", address }))) return;
    const called = name.value.trim() || person.name;
    if (!known && !(await ask({ do: "addContact", address, name: called }))) return;
    if (keys !== null) {
      const outcome = await ask({ do: "verify", uri: keys });
      if (outcome?.is === "verified") toast(w.verified(outcome.count));
    }
    arrived.value = null;
    go({ at: "chat", address, message: null }, true);
  };
  const problem = self ? w.self : "problem" in found ? found.problem : null;
  const suggestion = "suggestion" in found ? found.suggestion : person ? suggested(store.contacts.value, store.account.value?.address, person) : null;
  const shown = tried.value || self || (typed.value.includes("@") && suggestion !== null);
  return (
    <form class="people-form" noValidate onSubmit={(event) => void start(event)}>
      <TextField
        label={w.addressLabel}
        hint={w.addressHint}
        inputMode="email"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        enterkeyhint="go"
        value={typed.value}
        error={shown && problem ? problem : null}
        onInput={(value) => {
          typed.value = value;
          tried.value = false;
        }}
      />
      {suggestion && (
        <p class="people-suggestion">
          <span>{fill(w.mean, { address: suggestion })}</span>
          <Button onClick={() => (typed.value = suggestion)}>{w.useIt}</Button>
        </p>
      )}
      {person && !self && !known && parseLink(typed.value)?.is !== "room" && (
        <TextField
          label={w.nameLabel}
          hint={w.nameHint}
          autocomplete="off"
          maxLength={100}
          value={name.value}
          onInput={(value) => (name.value = value)}
        />
      )}
      {known && contact && <Note text={fill(w.known, { name: contact.name })} />}
      {contact?.blocked && <Note text={fill(w.blocked, { name: contact.name })} />}
      {person?.keys && <Note text={w.withKeys} />}
      <Button kind="primary" type="submit" busy={busy} wide>
        {known && !contact?.blocked ? w.open : w.start}
      </Button>
    </form>
  );
}

/** The same name at a server that was probably meant. */
function suggested(contacts: ReadonlyMap<string, Contact>, own: string | undefined, person: Person): string | null {
  if (contacts.has(person.address)) return null;
  const servers = new Set([...contacts.keys()].map(serverOf));
  if (own !== undefined) servers.add(serverOf(own));
  const meant = meantServer(serverOf(person.address), [...servers]);
  return meant === null ? null : `${nameOf(person.address)}@${meant}`;
}

function Note({ text }: { text: string }) {
  return (
    <p class="people-note" role="status">
      <Icon name="info" size={18} />
      <span>{text}</span>
    </p>
  );
}

/** The contacts there are, for who wants one of them. */
function Known() {
  const store = useStore();
  const w = words().people.add;
  const wanted = useSignal("");
  const letters = wanted.value.trim().toLocaleLowerCase();
  const all = [...store.contacts.value.values()].filter((one) => one.inRoster && !one.blocked);
  if (all.length === 0) return null;
  const fits = all
    .filter((one) => one.name.toLocaleLowerCase().includes(letters) || one.address.includes(letters))
    .sort((a, b) => a.name.localeCompare(b.name));
  const rest = fits.length - MOST;
  return (
    <>
      {all.length <= FEW && <h2 class="people-heading">{w.contacts}</h2>}
      {all.length > FEW && (
        <TextField
          label={w.search}
          type="search"
          autocomplete="off"
          value={wanted.value}
          onInput={(value) => (wanted.value = value)}
        />
      )}
      {fits.length > 0 && (
        <Group>
          {fits.slice(0, MOST).map((one) => (
            <Row
              key={one.address}
              start={<Avatar address={one.address} name={one.name} avatar={one.avatar} size={40} />}
              label={<bdi>{one.name}</bdi>}
              hint={<bdi>{one.name === one.address ? presenceText(one) : one.address}</bdi>}
              onClick={() => go({ at: "chat", address: one.address, message: null }, true)}
            />
          ))}
        </Group>
      )}
      <p class="people-text" role="status">
        {fits.length === 0 ? w.nobody : rest > 0 ? w.rest(rest) : ""}
      </p>
    </>
  );
}
