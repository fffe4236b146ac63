// Looking for words in a conversation: the newest match first, older ones by pressing on.

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { fill, words } from "../../i18n";
import { BEGUN, lookFor, MOST_FOUND } from "../../state/parts";
import { composing, IconButton, Spinner } from "../kit";
import { SearchProblem } from "../shell/search-problem";
import type { Chat, Search } from "./state";
import "./search.css";

const WAIT_MS = 250;
/** Shorter words are in nearly every message. */
const SHORTEST = 2;
/** Longer texts the core does not look for. */
const LONGEST = 250;

export function SearchBar({ chat, search }: { chat: Chat; search: Search }) {
  const say = words().chat;
  const field = useRef<HTMLInputElement>(null);
  const later = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  // What was typed last: nobody waits for what else is still looked for.
  const turn = useRef(0);
  // Before the next key comes: nothing that is typed gets lost.
  useLayoutEffect(() => field.current?.focus(), []);
  useEffect(
    () => () => {
      turn.current += 1;
      clearTimeout(later.current);
    },
    [],
  );
  const close = () => {
    chat.search.value = null;
    chat.focusComposer();
  };
  const look = (text: string) => {
    chat.search.value = { text, parts: null, at: 0 };
    clearTimeout(later.current);
    const mine = (turn.current += 1);
    if (text.trim().length < SHORTEST) return;
    later.current = setTimeout(() => void find(chat, text, () => turn.current === mine), WAIT_MS);
  };
  const { at, text } = search;
  const { found, busy, more, problem } = search.parts ?? BEGUN;
  const all = found.length;
  const short = text.trim().length < SHORTEST;
  return (
    <>
      <div
        class="search-bar"
        role="search"
        aria-label={say.find}
        onKeyDown={(event) => {
          if (event.key === "Escape" && !composing(event)) {
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
          maxLength={LONGEST}
          enterkeyhint="search"
          value={text}
          placeholder={say.searchHint}
          aria-label={say.find}
          onInput={(event) => look(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || composing(event)) return;
            event.preventDefault();
            void step(chat, event.shiftKey ? -1 : 1);
          }}
        />
        <span class="search-count" role="status">
          {!short && all > 0 && fill(say.searchCount, { n: at + 1, all: more ? `${all}+` : all })}
          {!short && all === 0 && !busy && !problem && say.searchNone}
          {(chat.seeking.value || (!short && busy)) && (
            <Spinner size={18} label={chat.seeking.value ? say.searchingOlder : say.searchingMore} />
          )}
        </span>
        <IconButton icon="up" label={say.searchNext} disabled={at + 1 >= all} onClick={() => void step(chat, 1)} />
        <IconButton icon="down" label={say.searchPrevious} disabled={at <= 0} onClick={() => void step(chat, -1)} />
      </div>
      {!short && !busy && problem && <SearchProblem problem={problem} onAgain={() => look(text)} />}
    </>
  );
}

async function find(chat: Chat, text: string, wanted: () => boolean): Promise<void> {
  const wish = { do: "search", text: text.trim(), address: chat.address } as const;
  let led = false;
  await lookFor((command) => chat.ask(command), wish, MOST_FOUND, wanted, (parts) => {
    const search = chat.search.peek();
    if (!search) return;
    chat.search.value = { ...search, parts };
    const [first] = parts.found;
    if (!first || led) return;
    led = true;
    void chat.jump(first.message.id);
  });
}

/** On to the next match, or back. */
async function step(chat: Chat, by: number): Promise<void> {
  const search = chat.search.peek();
  const next = search?.parts?.found[search.at + by];
  if (!search || !next) return;
  chat.search.value = { ...search, at: search.at + by };
  await chat.jump(next.message.id);
}
