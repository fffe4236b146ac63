import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import type { Contact, Content, Conversation, Message } from "../../core/types";
import { fill, region, words } from "../../i18n";
import { go, route } from "../../route";
import { useStore } from "../../state/use";
import { Address, Avatar, Button, Empty, IconButton, openMenu, Page, toast } from "../kit";
import { longTime } from "../shell/time";
import { useAsk } from "./ask";
import { block } from "./block";
import { accept, decline, fromFriend } from "./room/invitation";
import "./people.css";
import "./requests.css";

/** Requests that are shown at a time, so that a flood of them does no harm. */
const MOST = 10;
/** Letters of a message that are shown. */
const LETTERS = 1500;

interface Asked {
  address: string;
  name: string;
  contact: Contact | undefined;
  conversation: Conversation | undefined;
}

/** People who are no contacts and want to talk: apart from the others, nothing of theirs is loaded. */
export function Requests() {
  const store = useStore();
  const w = words().people.requests;
  const shown = useSignal(MOST);
  // What a contact invites to stands in the list itself.
  const list = store.list.value.filter((one) => !(one.room && fromFriend(store, one.address)));
  const all = requests(list, store.contacts.value);
  return (
    <Page title={w.title}>
      {all.length === 0 ? (
        <Empty icon="personAdd" title={w.none} text={w.noneText} />
      ) : (
        <>
          <p class="people-text">{w.text}</p>
          <ul class="requests">
            {all.slice(0, shown.value).map((one) =>
              one.conversation?.room ? (
                <Invitation key={one.address} address={one.address} name={one.name} />
              ) : (
                <Request key={one.address} {...one} />
              ),
            )}
          </ul>
          {all.length > shown.value && (
            <Button wide onClick={() => (shown.value += MOST)}>
              {w.more}
            </Button>
          )}
        </>
      )}
    </Page>
  );
}

function requests(list: readonly Conversation[], contacts: ReadonlyMap<string, Contact>): Asked[] {
  const found = new Map<string, Asked>();
  for (const conversation of list) {
    const { address, name } = conversation;
    const contact = contacts.get(address);
    if (conversation.request && !contact?.blocked) found.set(address, { address, name, contact, conversation });
  }
  for (const contact of contacts.values()) {
    const { address, name } = contact;
    if (!contact.asks || contact.blocked || found.has(address)) continue;
    found.set(address, { address, name, contact, conversation: undefined });
  }
  return [...found.values()];
}

function Request({ address, name, contact, conversation }: Asked) {
  const store = useStore();
  const w = words().people.requests;
  const { busy, ask } = useAsk();
  const asks = contact?.asks === true;
  const why = asks && conversation ? w.wantsAndWrote : asks ? w.wants : w.wrote;
  const accept = async () => {
    if (asks && !(await ask({ do: "answer", address, accept: true }))) return;
    // Somebody who is in the list already keeps the name they have there.
    if (contact?.inRoster !== true && !(await ask({ do: "addContact", address, name: null }))) return;
    toast(fill(w.accepted, { name }));
    go({ at: "chat", address, message: null });
  };
  const refuse = async () => {
    if (asks && !(await ask({ do: "answer", address, accept: false }))) return;
    if (conversation && !(await ask({ do: "hide", address }))) return;
  };
  const menu = (at: Element) =>
    openMenu({
      label: fill(w.actions, { name }),
      at,
      items: [
        { label: w.block, icon: "block", hint: w.blockHint, danger: true, run: () => void block(store, address, name, false) },
        { label: w.blockReport, icon: "flag", hint: w.blockReportHint, danger: true, run: () => void block(store, address, name, true) },
      ],
    });
  return (
    <li class="request">
      <div class="request-who">
        <Avatar address={address} name={name} avatar={null} size={48} />
        <div class="request-words">
          <h2 class="request-name">
            <Address text={name} />
          </h2>
          {name !== address && <Address class="request-address" text={address} />}
          <p class="request-why">{why}</p>
        </div>
        <IconButton icon="more" label={fill(w.actions, { name })} onClick={(event) => menu(event.currentTarget)} />
      </div>
      {conversation && <Said conversation={conversation} />}
      <div class="request-buttons">
        <Button disabled={busy} onClick={() => void refuse()}>
          {w.refuse}
        </Button>
        <Button kind="primary" busy={busy} onClick={() => void accept()}>
          {w.accept}
        </Button>
      </div>
    </li>
  );
}

/** Somebody unknown invites to a room. */
function Invitation({ address, name }: { address: string; name: string }) {
  const store = useStore();
  const w = words().rooms.invitation;
  const busy = useSignal(false);
  const by = store.room(address)?.invitedBy ?? null;
  const inviter = by === null ? words().rooms.somebody : (store.contact(by)?.name ?? by);
  const during = async (work: Promise<boolean>, then: () => void) => {
    busy.value = true;
    if (await work) then();
    busy.value = false;
  };
  const enter = () => during(accept(store, address), () => go({ at: "chat", address, message: null }));
  return (
    <li class="request">
      <div class="request-who">
        <Avatar address={address} name={name} avatar={null} group size={48} />
        <div class="request-words">
          <h2 class="request-name">
            <bdi>{name}</bdi>
          </h2>
          <Address class="request-address" text={address} />
          <p class="request-why">{fill(w.title, { name: inviter })}</p>
        </div>
        {by !== null && (
          <IconButton icon="block" label={fill(words().people.blocking.title, { name: inviter })} onClick={() => void block(store, by, inviter, false)} />
        )}
      </div>
      <div class="request-buttons">
        <Button disabled={busy.value} onClick={() => void during(decline(store, address), () => undefined)}>
          {w.decline}
        </Button>
        <Button kind="primary" busy={busy.value} onClick={() => void enter()}>
          {w.accept}
        </Button>
      </div>
    </li>
  );
}

/** The first of what they wrote, as text and nothing else. */
function Said({ conversation }: { conversation: Conversation }) {
  const store = useStore();
  const w = words().people.requests;
  const { address } = conversation;
  useEffect(() => {
    void store.ask({ do: "open", address });
    return () => {
      const at = route.peek();
      if (at.at !== "chat" || at.address !== address) void store.ask({ do: "close", address });
    };
  }, [store, address]);
  const window = store.window(address);
  const messages = (window?.messages ?? []).filter((one) => !one.own && textOf(one) !== null);
  const first = messages[0];
  const text = (first && textOf(first)) ?? conversation.preview?.text ?? "";
  const time = first?.time ?? conversation.preview?.time;
  return (
    <div class="request-said">
      <p class="request-text" dir="auto">
        {text.slice(0, LETTERS)}
        {text.length > LETTERS && "…"}
      </p>
      {time !== undefined && (
        <time class="request-time" dateTime={new Date(time).toISOString()}>
          {longTime(time, region())}
        </time>
      )}
      {messages.length > 1 && <p class="request-older">{w.older}</p>}
    </div>
  );
}

function textOf({ content }: Message): string | null {
  const w = words().people.requests;
  const said = (content: Content): string | null => {
    switch (content.is) {
      case "text":
        return content.text;
      case "file":
        return [fill(w.file, { name: content.file.name }), content.caption].filter(Boolean).join("\n");
      case "undecryptable":
        return w.unreadable;
      default:
        return null;
    }
  };
  return said(content);
}
