// Looking for words in a conversation: the newest match first, older ones by pressing on.

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { fill, words } from "../../i18n";
import { IconButton, Spinner } from "../kit";
import type { Chat, Search } from "./state";
import "./search.css";

const WAIT_MS = 250;
/** Shorter words are in nearly every message. */
const SHORTEST = 2;

export function SearchBar({ chat, search }: { chat: Chat; search: Search }) {
  const say = words().chat;
  const field = useRef<HTMLInputElement>(null);
  const later = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  // Before the next key comes: nothing that is typed gets lost.
  useLayoutEffect(() => field.current?.focus(), []);
  useEffect(() => () => clearTimeout(later.current), []);
  const close = () => {
    chat.search.value = null;
    chat.focusComposer();
  };
  const look = (text: string) => {
    chat.search.value = { text, found: null, at: 0 };
    clearTimeout(later.current);
    if (text.trim().length >= SHORTEST) later.current = setTimeout(() => void find(chat, text), WAIT_MS);
  };
  const { found, at, text } = search;
  const all = found?.length ?? 0;
  const short = text.trim().length < SHORTEST;
  return (
    <div
      class="search-bar"
      role="search"
      aria-label={say.find}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          close();
        }
      }}
    >
      <IconButton icon="back" label={say.searchClose} onClick={close} />
      <input
        ref={field}
        class="search-field"
        type="search"
        dir="auto"
        enterkeyhint="search"
        value={text}
        placeholder={say.searchHint}
        aria-label={say.find}
        onInput={(event) => look(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          void step(chat, event.shiftKey ? -1 : 1);
        }}
      />
      <span class="search-count" role="status">
        {chat.seeking.value || (!short && found === null) ? (
          <Spinner size={18} label={say.searchingOlder} />
        ) : (
          !short && (all === 0 ? say.searchNone : fill(say.searchCount, { n: at + 1, all }))
        )}
      </span>
      <IconButton icon="up" label={say.searchNext} disabled={at + 1 >= all} onClick={() => void step(chat, 1)} />
      <IconButton icon="down" label={say.searchPrevious} disabled={at <= 0} onClick={() => void step(chat, -1)} />
    </div>
  );
}

async function find(chat: Chat, text: string): Promise<void> {
  const outcome = await chat.ask({ do: "search", text: text.trim(), address: chat.address });
  if (chat.search.peek()?.text !== text) return;
  const found = outcome.is === "found" ? outcome.messages.map((one) => one.message) : [];
  found.sort((a, b) => (a.place < b.place ? 1 : -1));
  chat.search.value = { text, found, at: 0 };
  const [first] = found;
  if (first) await chat.jump(first.id);
}

/** On to the next match, or back. */
async function step(chat: Chat, by: number): Promise<void> {
  const search = chat.search.peek();
  const next = search?.found?.[search.at + by];
  if (!search || !next) return;
  chat.search.value = { ...search, at: search.at + by };
  await chat.jump(next.id);
}
