import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { words } from "../../i18n";
import { go } from "../../route";
import { useStore } from "../../state/use";
import { Avatar, composing, Icon, IconButton, openMenu, phone } from "../kit";
import { ConversationList } from "./list";
import { Results } from "./results";
import { focusSearch, openHelp } from "./keys";
import "./list-pane.css";

/** The pane with all conversations: who one is, the search, and the list or what was found. */
export function ListPane() {
  const typed = useSignal("");
  const field = useRef<HTMLInputElement>(null);
  const pane = useRef<HTMLDivElement>(null);
  useEffect(() => focusSearch.subscribe((times) => times > 0 && field.current?.focus()), []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (composing(event)) return;
    if (event.key === "Escape" && typed.value !== "") {
      event.preventDefault();
      event.stopPropagation();
      typed.value = "";
      field.current?.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (event.defaultPrevented) return;
      if (moveFocus(pane.current, field.current, event.key === "ArrowDown")) event.preventDefault();
    } else if (event.key === "Enter" && event.target === field.current && typed.value !== "") {
      pane.current?.querySelector<HTMLElement>(".result")?.click();
    }
  };
  return (
    <div class="list-pane" ref={pane} onKeyDown={onKeyDown}>
      <Header />
      <div class="list-search" role="search">
        <Icon name="search" size={18} />
        <input
          ref={field}
          class="list-search-field"
          type="search"
          enterkeyhint="search"
          autocomplete="off"
          spellcheck={false}
          maxLength={250}
          placeholder={words().shell.search}
          aria-label={words().shell.searchLabel}
          value={typed.value}
          onInput={(event) => {
            typed.value = event.currentTarget.value;
          }}
        />
        {typed.value !== "" && (
          <IconButton
            icon="close"
            size={18}
            label={words().shell.clearSearch}
            onClick={() => {
              typed.value = "";
              field.current?.focus();
            }}
          />
        )}
      </div>
      {typed.value.trim() === "" ? (
        <ConversationList />
      ) : (
        <Results typed={typed.value} onDone={() => (typed.value = "")} />
      )}
      {phone.value && typed.value === "" && (
        <IconButton
          strong
          class="list-new"
          icon="pencil"
          size={26}
          label={words().shell.newChat}
          onClick={() => go({ at: "add" })}
        />
      )}
    </div>
  );
}

function Header() {
  const store = useStore();
  const w = words().shell;
  const account = store.account.value;
  const more = (event: MouseEvent) =>
    openMenu({
      label: w.more,
      at: event.currentTarget as Element,
      items: [
        { label: words().rooms.newGroup, icon: "people", run: () => go({ at: "group" }) },
        { label: words().rooms.joinChannel, icon: "globe", run: () => go({ at: "join", address: null }) },
        ...(account ? [{ label: words().chat.yourself, icon: "edit" as const, run: () => go({ at: "chat", address: account.address, message: null }) }] : []),
        { label: w.starred, icon: "star", run: () => go({ at: "starred", address: null }) },
        { label: w.inviteSomebody, icon: "share", run: () => go({ at: "settings", page: "invite" }) },
        { label: w.requests, icon: "personAdd", run: () => go({ at: "requests" }) },
        { label: w.settings, icon: "gear", run: () => go({ at: "settings", page: null }) },
        ...(phone.value ? [] : [{ label: w.keyboard, icon: "keyboard" as const, run: openHelp }]),
      ],
    });
  return (
    <div class="list-header">
      {account && (
        <button
          type="button"
          class="list-self"
          aria-label={w.yourProfile}
          title={account.address}
          onClick={() => go({ at: "settings", page: "profile" })}
        >
          <Avatar address={account.address} name={account.nickname ?? account.address} avatar={account.avatar} size={34} />
        </button>
      )}
      <h1 class="list-title">{w.conversations}</h1>
      {!phone.value && <IconButton icon="pencil" label={w.newChat} onClick={() => go({ at: "add" })} />}
      <IconButton icon="more" label={w.more} aria-haspopup="menu" onClick={more} />
    </div>
  );
}

/** From the field into what is below it, and between the lines there. */
function moveFocus(pane: HTMLElement | null, field: HTMLElement | null, down: boolean): boolean {
  if (!pane) return false;
  const lines = [...pane.querySelectorAll<HTMLElement>(".result")];
  const now = lines.indexOf(document.activeElement as HTMLElement);
  if (lines.length > 0 && (now >= 0 || document.activeElement === field)) {
    if (now <= 0 && !down) field?.focus();
    else lines[down ? Math.min(now + 1, lines.length - 1) : now - 1]?.focus();
    return true;
  }
  if (down && document.activeElement === field) {
    pane.querySelector<HTMLElement>('.conversation[tabindex="0"]')?.focus();
    return true;
  }
  return false;
}
