// Who one talks with, how they are, and who can read it.

import type { Contact, Message } from "../../core/types";
import { fill, language, words } from "../../i18n";
import { back, go, route } from "../../route";
import { Avatar, Icon, IconButton, openMenu, phone, type IconName, type MenuItem } from "../kit";
import { ago } from "../people/ago";
import { block, unblock } from "../people/block";
import { memberCount } from "../people/room/words";
import { erasing } from "../shell/erase";
import { now } from "../shell/time";
import { typingWords } from "../typing";
import { nameable } from "./members";
import { selected, type Chosen } from "./selection";
import { canDeleteHere, canRemove, type Chat } from "./state";
import "./header.css";

export function Header({ chat }: { chat: Chat }) {
  const say = words().chat;
  const name = chat.name.value;
  const conversation = chat.conversation.value;
  const typing = conversation ? typingWords(conversation) : "";
  const state = typing || stateOf(chat);
  return (
    <header class="chat-header">
      {phone.value && <IconButton icon="back" label={say.back} onClick={back} />}
      <button
        type="button"
        class="chat-who"
        aria-expanded={phone.value ? undefined : route.value.at === "details"}
        onClick={() => {
          if (route.peek().at === "details") back();
          else go({ at: "details", address: chat.address });
        }}
      >
        <Avatar address={chat.address} name={name} avatar={chat.store.avatar(chat.address)} group={chat.isRoom.value} size={40} />
        <span class="chat-who-words">
          <span class="chat-name">
            <bdi class="chat-name-text">{name}</bdi>
            {isMuted(chat) && (
              <span class="chat-muted" title={say.muted}>
                <Icon name="bellOff" size={14} />
              </span>
            )}
          </span>
          {state && (
            <span class={typing ? "chat-state chat-state-typing" : "chat-state"} dir="auto">
              {state}
            </span>
          )}
          <span class="hidden-text">{say.details}</span>
        </span>
      </button>
      <Lock chat={chat} />
      {!phone.value && (
        <IconButton icon="search" label={say.find} onClick={() => openSearch(chat)} />
      )}
      <IconButton
        icon="more"
        label={say.menu}
        aria-haspopup="menu"
        onClick={(event) => openMenu({ label: say.menu, at: event.currentTarget, items: menuOf(chat) })}
      />
    </header>
  );
}

export function openSearch(chat: Chat): void {
  chat.search.value ??= { text: "", parts: null, at: 0 };
}

/** A quiet lock that says who can read it. */
function Lock({ chat }: { chat: Chat }) {
  const say = words().chat;
  const conversation = chat.conversation.value;
  // What an invitation leads to is not known yet.
  if (!conversation || chat.room.value?.state.is === "invited") return null;
  const { encrypted, readers } = conversation;
  let icon: IconName = "lock";
  let label = say.lockEncrypted;
  let kind = "";
  if (!encrypted && chat.isRoom.value && !chat.room.value?.private) [icon, label] = ["lockOpen", words().rooms.details.open];
  else if (!encrypted) [icon, label, kind] = ["lockOpen", say.lockOpen, " chat-lock-warns"];
  else if (readers.leftOut > 0) [label, kind] = [say.lockLeftOut, " chat-lock-warns"];
  else if (readers.verified && readers.theirs > 0) [icon, label, kind] = ["shieldCheck", say.lockVerified, " chat-lock-good"];
  return (
    <IconButton
      class={`chat-lock${kind}`}
      size={20}
      icon={icon}
      label={label}
      aria-haspopup="dialog"
      onClick={() => (chat.sheet.value = { is: "readers" })}
    />
  );
}

function stateOf(chat: Chat): string {
  const say = words().chat;
  if (chat.isRoom.value) return roomState(chat);
  if (chat.address === chat.self) return say.yourself;
  const contact = chat.contact.value;
  if (!contact) return "";
  if (contact.blocked) return say.blocked;
  const presence = presenceWords(contact);
  return [presence, contact.status].filter(Boolean).join(" · ");
}

/** Who is in a room: by name as long as they are few, and what it is about. */
function roomState(chat: Chat): string {
  const say = words().rooms;
  const room = chat.room.value;
  if (!room) return "";
  switch (room.state.is) {
    case "entering":
      return say.entering;
    case "invited":
      return fill(say.invites, { name: room.invitedBy === null ? say.somebody : chat.nameOf(room.invitedBy) });
    case "refused":
    case "out":
      return say.outside;
  }
  if (room.requests.length > 0) return say.asking(room.requests.length);
  if (room.subject) return [memberCount(room), room.subject].join(" · ");
  const others = nameable(chat);
  if (!room.private || others.length === 0 || others.length > FEW) return memberCount(room);
  return [...others.map((one) => one.name), say.you].join(", ");
}

/** So many people are named. */
const FEW = 8;

/** How available somebody is; nothing when they are not, or do not show it. */
function presenceWords(contact: Contact): string {
  const say = words().chat;
  if (contact.idle !== null && contact.presence !== "offline" && contact.presence !== "busy") {
    return fill(say.activeAgo, { time: ago(contact.idle, now.value, language.value) });
  }
  switch (contact.presence) {
    case "chat":
      return say.wantsToChat;
    case "available":
      return say.online;
    case "away":
      return say.away;
    case "extendedAway":
      return say.awayLong;
    case "busy":
      return say.busy;
    case "offline":
      return "";
  }
}

function isMuted(chat: Chat): boolean {
  const mute = chat.conversation.value?.mute;
  return mute?.is === "forever" || (mute?.is === "until" && mute.time > Date.now());
}

function menuOf(chat: Chat): MenuItem[] {
  const say = words().chat;
  const conversation = chat.conversation.peek();
  const { address } = chat;
  const pinned = conversation?.pinned ?? false;
  const blocked = chat.contact.peek()?.blocked ?? false;
  return [
    { label: say.find, icon: "search", run: () => openSearch(chat) },
    { label: say.media, icon: "image", run: () => chat.showGallery() },
    { label: words().shell.starred, icon: "star", run: () => go({ at: "starred", address }) },
    { label: say.details, icon: "info", run: () => go({ at: "details", address }) },
    null,
    isMuted(chat)
      ? { label: say.unmute, icon: "bell", run: () => void chat.try({ do: "mute", address, until: { is: "no" } }) }
      : { label: say.mute, icon: "bellOff", run: () => setTimeout(() => openMute(chat)) },
    {
      label: pinned ? say.unpin : say.pin,
      icon: pinned ? "pinOff" : "pin",
      run: () => void chat.try({ do: "pin", address, pinned: !pinned }),
    },
    null,
    ...(conversation ? erasing(chat.store, { address, name: chat.name.peek() }) : []),
    ...(chat.isRoom.peek() ? [] : [blocking(chat, blocked)]),
  ];
}

function blocking(chat: Chat, blocked: boolean): MenuItem {
  const say = words().chat;
  const { address } = chat;
  return blocked
    ? { label: say.unblock, icon: "block", run: () => void unblock(chat.store, address, chat.name.peek()) }
    : { label: say.block, icon: "block", danger: true, run: () => void block(chat.store, address, chat.name.peek(), false) };
}

const HOUR = 3_600_000;

function openMute(chat: Chat): void {
  const say = words().chat;
  const { address } = chat;
  const button = document.querySelector(".chat-header .icon-button:last-child");
  if (!button) return;
  const until = (hours: number) => () =>
    void chat.try({ do: "mute", address, until: { is: "until", time: Date.now() + hours * HOUR } });
  openMenu({
    label: say.mute,
    at: button,
    items: [
      { label: say.mute1h, run: until(1) },
      { label: say.mute8h, run: until(8) },
      { label: say.mute1w, run: until(7 * 24) },
      { label: say.muteAlways, run: () => void chat.try({ do: "mute", address, until: { is: "forever" } }) },
    ],
  });
}

/** In place of the header while messages are being chosen. */
export function SelectionBar({ chat, chosen }: { chat: Chat; chosen: Chosen }) {
  const say = words().chat;
  const messages = selected(chosen, chat.window.value);
  const some = messages.length > 0;
  const forwardable = some && messages.every((one) => one.content.is === "text" || one.content.is === "file");
  return (
    <div class="chat-header chat-selection" role="toolbar" aria-label={say.selected(messages.length)}>
      <IconButton icon="close" label={say.endSelection} onClick={() => (chat.chosen.value = null)} />
      <span class="chat-selected" role="status">
        {say.selected(messages.length)}
      </span>
      <IconButton
        icon="copy"
        label={say.copySelected}
        disabled={!some}
        onClick={() => {
          void chat.copy(messages);
          chat.chosen.value = null;
        }}
      />
      <IconButton
        icon="forward"
        label={say.forwardSelected}
        disabled={!forwardable}
        onClick={() => (chat.sheet.value = { is: "forward", messages })}
      />
      <DeleteButton chat={chat} messages={messages} />
    </div>
  );
}

/** Says for whom it deletes what is chosen; asks that where it can be either. */
function DeleteButton({ chat, messages }: { chat: Chat; messages: Message[] }) {
  const say = words().chat;
  const forAll = messages.length > 0 && messages.every(canRemove);
  const here = messages.filter(canDeleteHere);
  const either = forAll && here.length > 0;
  const neither = !forAll && here.length === 0;
  const ask = (at: Element) => {
    if (!either) return void (forAll ? chat.askRemove(messages) : chat.askDeleteHere(here));
    openMenu({
      label: say.removeSelected,
      at,
      items: [
        { label: say.deleteHere, icon: "trash", danger: true, run: () => void chat.askDeleteHere(here) },
        { label: say.remove, icon: "trash", danger: true, run: () => void chat.askRemove(messages) },
      ],
    });
  };
  const only = forAll ? say.removeConfirm : say.deleteHereConfirm;
  return (
    <IconButton
      icon="trash"
      label={either || neither ? say.removeSelected : only}
      disabled={neither}
      aria-haspopup={either ? "menu" : undefined}
      onClick={(event) => ask(event.currentTarget)}
    />
  );
}
