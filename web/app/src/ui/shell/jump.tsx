import { useSignal } from "@preact/signals";
import { useEffect, useId, useRef } from "preact/hooks";

import { words } from "../../i18n";
import { go, type Route } from "../../route";
import type { Store } from "../../state/store";
import { useStore } from "../../state/use";
import { Avatar, composing, Dialog, Icon, type IconName } from "../kit";
import { filter, type Filter } from "./filter";
import { best, score } from "./fuzzy";
import { muted } from "./conversations";
import { jumping } from "./keys";
import { now } from "./time";
import "./jump.css";

const MOST = 12;

interface Place {
  name: string;
  address: string;
  icon?: IconName;
  group?: boolean;
  unread?: number;
  to: Route;
  /** What the list shows then. */
  shows?: Filter;
  /** Other words by which it is found. */
  also?: string;
}

/** Goes to a chat, a person or a page by a few letters of its name. */
export function Jump() {
  if (!jumping.value) return null;
  return <JumpDialog onClose={() => (jumping.value = false)} />;
}

function JumpDialog({ onClose }: { onClose: () => void }) {
  const store = useStore();
  const w = words().shell;
  const id = useId();
  const typed = useSignal("");
  const chosen = useSignal(0);
  const list = useRef<HTMLUListElement>(null);
  const places = find(store, typed.value);
  const at = Math.min(chosen.value, places.length - 1);
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const open = (place: Place | undefined) => {
    if (!place) return;
    onClose();
    go(place.to);
    if (place.shows) filter.value = place.shows;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (composing(event)) return;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && places.length > 0) {
      event.preventDefault();
      chosen.value = (at + step + places.length) % places.length;
    } else if (event.key === "Enter") {
      event.preventDefault();
      open(places[at]);
    }
  };
  return (
    <Dialog title={w.jump} bare onClose={onClose} class="jump">
      <input
        class="jump-field"
        role="combobox"
        aria-label={w.jump}
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={places.length > 0 ? `${id}-${at}` : undefined}
        aria-autocomplete="list"
        placeholder={w.jumpHint}
        autocomplete="off"
        spellcheck={false}
        autofocus
        value={typed.value}
        onInput={(event) => {
          typed.value = event.currentTarget.value;
          chosen.value = 0;
        }}
        onKeyDown={onKeyDown}
      />
      <ul class="jump-list" id={`${id}-list`} role="listbox" aria-label={w.jump} ref={list}>
        {places.map((place, index) => (
          <li
            key={place.address}
            id={`${id}-${index}`}
            class={index === at ? "jump-place jump-place-chosen" : "jump-place"}
            role="option"
            aria-selected={index === at}
            onClick={() => open(place)}
          >
            {place.icon ? (
              <span class="jump-icon">
                <Icon name={place.icon} size={20} />
              </span>
            ) : (
              <Avatar address={place.address} name={place.name} avatar={store.avatar(place.address)} group={place.group ?? false} size={34} />
            )}
            <span class="jump-name">
              <bdi>{place.name}</bdi>
            </span>
            {place.unread ? <span class="jump-unread">{w.unreadCount(place.unread)}</span> : null}
          </li>
        ))}
      </ul>
      {places.length === 0 && <p class="jump-nothing">{w.nothingFound}</p>}
    </Dialog>
  );
}

/** Without anything typed: what is unread, then what is newest. */
function find(store: Store, typed: string): Place[] {
  const chats: Place[] = store.list.value.map((one) => ({
    name: one.name,
    address: one.address,
    unread: one.unread,
    group: one.room,
    to: { at: "chat", address: one.address, message: null },
  }));
  if (typed.trim() === "") {
    return [...chats].sort((a, b) => Math.sign(b.unread ?? 0) - Math.sign(a.unread ?? 0)).slice(0, MOST);
  }
  const there = new Set(chats.map((one) => one.address));
  const people: Place[] = [...store.contacts.value.values()]
    .filter((one) => !there.has(one.address) && !one.blocked)
    .map((one) => ({ name: one.name, address: one.address, to: { at: "chat", address: one.address, message: null } }));
  for (const one of people) there.add(one.address);
  const hidden: Place[] = store.hidden.value
    .filter((one) => !there.has(one.address))
    .map((one) => ({ name: one.name, address: one.address, group: one.room, to: { at: "chat", address: one.address, message: null } }));
  return [...best([...chats, ...people, ...hidden], typed, MOST), ...pages(store, typed)];
}

function pages(store: Store, typed: string): Place[] {
  const w = words().shell;
  const all: Place[] = [
    { name: w.newChat, address: "add", icon: "pencil", to: { at: "add" } },
    { name: words().rooms.newGroup, address: "group", icon: "people", to: { at: "group" } },
    { name: words().rooms.joinChannel, address: "join", icon: "globe", to: { at: "join", address: null } },
    { name: w.requests, address: "requests", icon: "personAdd", to: { at: "requests" } },
    { name: w.starred, address: "starred", icon: "star", to: { at: "starred", address: null } },
    { name: w.settings, address: "settings", icon: "gear", to: { at: "settings", page: null } },
    { name: w.inviteSomebody, address: "invite", icon: "share", to: { at: "settings", page: "invite" } },
    { name: w.notifications, address: "notifications", icon: "bell", to: { at: "settings", page: "notifications" } },
    { name: w.devices, address: "devices", icon: "device", to: { at: "settings", page: "devices" } },
  ];
  const list: Route = { at: "list" };
  if (store.hidden.value.length > 0) {
    all.push({ name: w.hiddenChats, address: "hidden", icon: "archive", to: list, shows: "hidden", also: w.hiddenChatsAlso });
  }
  if (store.list.value.some((one) => muted(one.mute, now.value))) {
    all.push({ name: w.mutedChats, address: "muted", icon: "bellOff", to: list, shows: "muted", also: w.mutedChatsAlso });
  }
  return all.filter((one) => [one.name, ...(one.also?.split(" ") ?? [])].some((name) => score(name, typed) > 20));
}
