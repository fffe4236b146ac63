import { useEffect, useState } from "preact/hooks";

import { region, words } from "../../i18n";
import { go } from "../../route";
import type { Found } from "../../core/types";
import { BEGUN, lookFor, MOST_FOUND, type Parts } from "../../state/parts";
import { useStore } from "../../state/use";
import { Avatar, Empty, Spinner } from "../kit";
import { best, excerpt, marked } from "./fuzzy";
import { SearchProblem } from "./search-problem";
import { now, shortTime } from "./time";
import "./results.css";

/** Milliseconds of quiet before the messages are searched. */
const QUIET = 180;
const MOST = 20;

/** What the search finds: people, other chats, then messages. */
export function Results({ typed, onDone }: { typed: string; onDone: () => void }) {
  const store = useStore();
  const w = words().shell;
  const { found, busy, problem, again } = useMessages(typed);
  const contacts = [...store.contacts.value.values()].filter((one) => !one.blocked);
  const people = best(contacts, typed, MOST);
  const known = new Set(contacts.map((one) => one.address));
  const chats = best(store.conversations().filter((one) => !known.has(one.address)), typed, MOST);
  const open = (address: string, message: number | null) => {
    go({ at: "chat", address, message });
    onDone();
  };
  const nothing = people.length + chats.length + found.length === 0;
  return (
    <div class="list-scroll scroll results" tabIndex={-1}>
      <Section title={w.people} lines={people} onOpen={(address) => open(address, null)} typed={typed} />
      <Section title={w.chats} lines={chats} onOpen={(address) => open(address, null)} typed={typed} />
      {found.length > 0 && (
        <section aria-label={w.messages}>
          <h2 class="results-title">{w.messages}</h2>
          <ul>
            {found.map((one) => (
              <li key={`${one.address} ${one.message.id}`}>
                <MessageLine found={one} typed={typed} onOpen={() => open(one.address, one.message.id)} />
              </li>
            ))}
          </ul>
        </section>
      )}
      {busy && (
        <p class="results-busy">
          <Spinner label={w.searching} />
        </p>
      )}
      {!busy && problem && <SearchProblem problem={problem} onAgain={again} />}
      {!busy && !problem && nothing && <Empty icon="search" title={w.nothingFound} text={w.nothingFoundText} />}
      <p class="hidden-text" role="status">
        {busy || problem ? "" : w.foundCount(people.length + chats.length + found.length)}
      </p>
    </div>
  );
}

interface SectionProps {
  title: string;
  lines: readonly { address: string; name: string; avatar?: string | null; room?: boolean }[];
  typed: string;
  onOpen: (address: string) => void;
}

function Section({ title, lines, typed, onOpen }: SectionProps) {
  const store = useStore();
  if (lines.length === 0) return null;
  return (
    <section aria-label={title}>
      <h2 class="results-title">{title}</h2>
      <ul>
        {lines.map((one) => (
          <li key={one.address}>
            <button type="button" class="result" onClick={() => onOpen(one.address)}>
              <Avatar address={one.address} name={one.name} avatar={store.avatar(one.address)} group={one.room ?? false} size={40} />
              <span class="result-words">
                <span class="result-name">
                  <bdi>
                    <Marked text={one.name} typed={typed} />
                  </bdi>
                </span>
                {one.name !== one.address && !one.room && <span class="result-hint">{one.address}</span>}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A message that was found, and where. */
export function MessageLine({ found, typed, onOpen }: { found: Found; typed: string; onOpen: () => void }) {
  const store = useStore();
  const w = words().shell;
  const { message } = found;
  const name = store.conversation(found.address)?.name ?? store.contact(found.address)?.name ?? found.address;
  return (
    <button type="button" class="result" onClick={onOpen}>
      <Avatar address={found.address} name={name} avatar={store.avatar(found.address)} group={store.conversation(found.address)?.room ?? false} size={40} />
      <span class="result-words">
        <span class="result-line">
          <span class="result-name">
            <bdi>{name}</bdi>
          </span>
          <time class="result-hint">{shortTime(message.time, now.value, region(), w.time)}</time>
        </span>
        <span class="result-text">
          {message.own && `${w.you} `}
          {!message.own && message.nick && (
            <>
              <bdi>{message.nick}</bdi>:{" "}
            </>
          )}
          <bdi>
            <Marked text={excerpt(textOf(found), typed)} typed={typed} />
          </bdi>
        </span>
      </span>
    </button>
  );
}

/** What a message says, in one line. */
export function textOf({ message: { content } }: Found): string {
  if (content.is === "text") return content.text;
  if (content.is === "file") return content.caption ?? content.file.name;
  return "";
}

function Marked({ text, typed }: { text: string; typed: string }) {
  return (
    <>
      {marked(text, typed).map((part, at) =>
        part.hit ? (
          <mark class="result-mark" key={at}>
            {part.text}
          </mark>
        ) : (
          part.text
        ),
      )}
    </>
  );
}

/** The messages that say it, once the typing rests. */
function useMessages(typed: string): Parts & { again: () => void } {
  const store = useStore();
  const [parts, setParts] = useState(BEGUN);
  const [times, setTimes] = useState(0);
  useEffect(() => {
    const text = typed.trim();
    if (text.length < 2) {
      setParts({ ...BEGUN, busy: false });
      return;
    }
    let wanted = true;
    setParts((old) => ({ ...old, busy: true, problem: null }));
    const timer = setTimeout(() => {
      const wish = { do: "search", text, address: null } as const;
      void lookFor((command) => store.ask(command), wish, MOST_FOUND, () => wanted, setParts);
    }, QUIET);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [store, typed, times]);
  return { ...parts, again: () => setTimes(times + 1) };
}
