// Quiet lines below the last message of a room, for a moment: who came and went, and what else is
// different. Nothing of it is kept.

import { useSignal, useSignalEffect, type ReadonlySignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import type { Room } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { news, type News } from "../logic/news";
import type { Chat } from "../state";

/** Milliseconds a line stays, and how many there are. */
const STAYS = 15_000;
const MOST = 3;
/** After this account came in, the room first tells who is there. */
const SETTLES = 8_000;

interface Line {
  key: number;
  text: string;
}

/** What is new in the room of a conversation just now. */
export function useNews(chat: Chat): ReadonlySignal<readonly Line[]> {
  const lines = useSignal<readonly Line[]>([]);
  const before = useRef<Room | undefined>(undefined);
  const since = useRef(performance.now());
  const count = useRef(0);
  useSignalEffect(() => {
    const room = chat.room.value;
    const old = before.current;
    before.current = room;
    if (!room || old?.state.is !== "in") {
      since.current = performance.now();
      return;
    }
    if (performance.now() - since.current < SETTLES) return;
    const fresh = news(old, room).map((one) => ({ key: (count.current += 1), text: said(chat, one) }));
    if (fresh.length > 0) lines.value = [...lines.peek(), ...fresh].slice(-MOST);
  });
  const shown = lines.value;
  useEffect(() => {
    if (shown.length === 0) return;
    const timer = setTimeout(() => (lines.value = []), STAYS);
    return () => clearTimeout(timer);
  }, [shown]);
  return lines;
}

/** The lines, for the eye. */
export function RoomNews({ lines }: { lines: ReadonlySignal<readonly Line[]> }) {
  if (lines.value.length === 0) return null;
  return (
    <div class="timeline-news" aria-hidden="true">
      {lines.value.map((line) => (
        <p key={line.key}>
          <bdi>{line.text}</bdi>
        </p>
      ))}
    </div>
  );
}

/** The same, for those who listen. */
export function SaidNews({ lines }: { lines: ReadonlySignal<readonly Line[]> }) {
  return (
    <p class="hidden-text" role="status">
      {lines.value.at(-1)?.text}
    </p>
  );
}

function said(chat: Chat, one: News): string {
  const w = words().rooms;
  switch (one.is) {
    case "subject":
      return one.subject === null ? w.news.noSubject : fill(w.news.subject, { subject: one.subject });
    case "named":
      return fill(w.news.named, { name: one.name });
  }
  const known = chat.nameOf(one.who);
  const name = known === one.who ? (one.nick ?? known) : known;
  if (one.is === "became") return fill(w.news.became[one.affiliation], { name });
  return fill(w.news[one.is], { name });
}
