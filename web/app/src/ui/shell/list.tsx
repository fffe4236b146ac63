import { useComputed, useSignal } from "@preact/signals";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { words } from "../../i18n";
import { go, route } from "../../route";
import type { Conversation } from "../../core/types";
import type { Store } from "../../state/store";
import { useStore } from "../../state/use";
import { fromFriend } from "../people/room/invitation";
import { Button, Empty, Icon } from "../kit";
import { current, muted, openConversationMenu } from "./conversations";
import { filter, type Filter } from "./filter";
import { NotifyCard } from "./notify-card";
import { ConversationRow } from "./row";
import { settings } from "./settings";
import { now } from "./time";
import { useVirtual } from "./virtual";
import "./list.css";

/** All conversations, drawn as far as they are seen. One of them is a stop of Tab; keys move it. */
export function ConversationList() {
  const store = useStore();
  const w = words().shell;
  // Who comes back to the list sees all of it.
  useEffect(() => () => void (filter.value = "all"), []);
  // What was unread when the filter was chosen stays while it is read.
  const kept = useSignal<ReadonlySet<string>>(new Set());
  const known = useComputed(() => store.list.value.filter((one) => !waits(store, one)));
  const strangers = useComputed(() => store.list.value.filter((one) => waits(store, one)));
  const asking = useComputed(() => [...store.contacts.value.values()].filter((one) => one.asks && !one.blocked));
  const quiet = useComputed(() => known.value.filter((one) => muted(one.mute, now.value)));
  // A list whose last chat went is all of them again.
  const at = useComputed<Filter>(() => {
    const gone = (filter.value === "muted" && quiet.value.length === 0) || (filter.value === "hidden" && store.hidden.value.length === 0);
    return gone ? "all" : filter.value;
  });
  const shown = useComputed(() => {
    switch (at.value) {
      case "all":
        return known.value;
      case "unread":
        return known.value.filter((one) => one.unread > 0 || kept.value.has(one.address));
      case "groups":
        return known.value.filter((one) => one.room);
      case "muted":
        return quiet.value;
      case "hidden":
        return store.hidden.value;
    }
  });
  const choose = (to: Filter) => {
    kept.value = new Set();
    filter.value = at.value === to ? "all" : to;
  };
  const requests = new Set([...strangers.value, ...asking.value].map((one) => one.address)).size;
  const groups = at.value === "groups" || known.value.some((one) => one.room);
  const hidden = store.hidden.value.length;
  const unread = known.value.filter((one) => one.unread > 0).length;
  const opened = useCallback((address: string) => {
    if (filter.value === "unread") kept.value = new Set([...kept.value, address]);
    go({ at: "chat", address, message: null }, route.value.at === "chat");
  }, []);

  const line = useLineHeight();
  const { scroller, list, shown: seen, onScroll, reveal } = useVirtual(shown.value.length, line);
  const keys = useRoving(shown.value, reveal, list);
  return (
    <div class="list-scroll scroll" ref={scroller} onScroll={onScroll} tabIndex={-1}>
      {(known.value.length > 0 || requests > 0 || hidden > 0) && (
        <div class="chips" role="group" aria-label={w.filter}>
          <Chip label={w.filterAll} on={at.value === "all"} onPress={() => choose("all")} />
          <Chip
            label={unread > 0 ? w.filterUnreadCount(unread) : w.filterUnread}
            on={at.value === "unread"}
            onPress={() => choose("unread")}
          />
          {groups && <Chip label={w.filterGroups} on={at.value === "groups"} onPress={() => choose("groups")} />}
          {quiet.value.length > 0 && <Chip label={w.filterMuted} on={at.value === "muted"} onPress={() => choose("muted")} />}
          {hidden > 0 && <Chip label={w.filterHidden} on={at.value === "hidden"} onPress={() => choose("hidden")} />}
        </div>
      )}
      <NotifyCard />
      {requests > 0 && at.value === "all" && <RequestsLine count={requests} />}
      {shown.value.length > 0 ? (
        <ul
          ref={list}
          class="list"
          aria-label={w.conversations}
          style={{ blockSize: `${shown.value.length * line}px` }}
          onKeyDown={keys.onKeyDown}
          onFocusIn={keys.onFocusIn}
        >
          {shown.value.slice(seen.from, seen.to).map((one, at) => (
            <ConversationRow
              key={one.address}
              conversation={one}
              index={seen.from + at}
              count={shown.value.length}
              top={(seen.from + at) * line}
              stop={keys.stop === one.address}
              open={current() === one.address}
              onOpen={opened}
            />
          ))}
        </ul>
      ) : at.value === "unread" ? (
        <Empty icon="check" title={w.allRead} text={w.allReadText} />
      ) : (
        requests === 0 && at.value === "all" && <NobodyYet />
      )}
    </div>
  );
}

/** Whether it is of a stranger, and stands apart until it is answered. */
function waits(store: Store, one: Conversation): boolean {
  return one.request && !(one.room && fromFriend(store, one.address));
}

function Chip({ label, on, onPress }: { label: string; on: boolean; onPress: () => void }) {
  return (
    <button type="button" class="chip" aria-pressed={on} onClick={onPress}>
      {label}
    </button>
  );
}

function RequestsLine({ count }: { count: number }) {
  const w = words().shell;
  return (
    <button type="button" class="requests-line" onClick={() => go({ at: "requests" })}>
      <span class="requests-icon">
        <Icon name="personAdd" size={24} />
      </span>
      <span class="requests-words">
        <span class="requests-title">{w.requests}</span>
        <span class="requests-hint">{w.requestsCount(count)}</span>
      </span>
      <Icon name="chevron" size={18} />
    </button>
  );
}

function NobodyYet() {
  const w = words().shell;
  return (
    <Empty
      icon="chat"
      title={w.nobody}
      text={w.nobodyText}
      action={
        <div class="list-empty-actions">
          <Button kind="primary" icon="share" onClick={() => go({ at: "settings", page: "invite" })}>
            {w.inviteSomebody}
          </Button>
          <Button kind="quiet" icon="personAdd" onClick={() => go({ at: "add" })}>
            {w.addContact}
          </Button>
        </div>
      }
    />
  );
}

/** The height of a line in pixels: it grows with the text. */
function useLineHeight(): number {
  const [height, setHeight] = useState(72);
  const size = settings.value.text;
  useLayoutEffect(() => {
    const root = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    const made = Math.round(Math.max(68, 36 + root * 2.25));
    setHeight(made);
    document.documentElement.style.setProperty("--row", `${made}px`);
  }, [size]);
  return height;
}

/** The keys of the list, and which line Tab goes to. */
function useRoving(
  shown: Conversation[],
  reveal: (index: number) => void,
  list: { current: HTMLUListElement | null },
) {
  const store = useStore();
  const [chosen, setChosen] = useState<string | null>(null);
  const wanted = useRef<string | null>(null);
  const open = current();
  const is = (address: string | null) => shown.some((one) => one.address === address);
  const stop = is(chosen) ? chosen : is(open) ? open : (shown[0]?.address ?? null);

  // The line may have to be drawn before it can have the focus.
  useLayoutEffect(() => {
    if (wanted.current === null) return;
    const line = lineOf(list.current, wanted.current);
    if (!line) return;
    wanted.current = null;
    line.focus({ preventScroll: true });
  });

  const move = (to: number) => {
    const next = shown[Math.max(0, Math.min(to, shown.length - 1))];
    if (!next) return;
    wanted.current = next.address;
    setChosen(next.address);
    reveal(shown.indexOf(next));
    lineOf(list.current, next.address)?.focus({ preventScroll: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const now = shown.findIndex((one) => one.address === stop);
    const steps: Record<string, number> = {
      ArrowDown: now + 1,
      ArrowUp: now - 1,
      PageDown: now + 8,
      PageUp: now - 8,
      Home: 0,
      End: shown.length - 1,
    };
    const to = steps[event.key];
    if (to !== undefined) {
      event.preventDefault();
      move(to);
    } else if (event.key === "F10" && event.shiftKey) {
      const one = shown[now];
      const line = one && lineOf(list.current, one.address);
      if (!line) return;
      event.preventDefault();
      openConversationMenu(store, one, line);
    }
  };
  const onFocusIn = (event: FocusEvent) => {
    const address = (event.target as HTMLElement).dataset["address"];
    if (address !== undefined) setChosen(address);
  };
  return { stop, onKeyDown, onFocusIn };
}

function lineOf(list: HTMLElement | null, address: string): HTMLElement | undefined {
  if (!list) return undefined;
  return [...list.querySelectorAll<HTMLElement>(".conversation")].find((one) => one.dataset["address"] === address);
}
