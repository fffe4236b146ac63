// Naming somebody in a room: behind an @ the people who fit what is typed, to choose from.

import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useId } from "preact/hooks";

import { words } from "../../../i18n";
import { Avatar } from "../../kit";
import { begun, fitting, type Begun } from "../logic/mentions";
import { nameable, type Nameable } from "../members";
import type { Chat } from "../state";
import type { Composer } from "./state";
import "./mentions.css";

/** So many are offered. */
const MOST = 8;

export interface Mentions {
  /** Who is offered; nobody while no name is begun. */
  offered: Nameable[];
  chosen: number;
  id: string;
  /** The text or the caret has changed. */
  look(): void;
  /** Whether a key was meant for the list. */
  key(event: KeyboardEvent): boolean;
  take(one: Nameable): void;
}

export function useMentions(chat: Chat, composer: Composer, area: RefObject<HTMLTextAreaElement | null>): Mentions {
  const id = useId();
  const begins = useSignal<Begun | null>(null);
  const chosen = useSignal(0);
  /** Where an @ stands for which the list was sent away. */
  const refused = useSignal(-1);
  const now = begins.value;
  const offered = now && chat.isRoom.value ? fitting(nameable(chat), now.typed, MOST) : [];
  const at = Math.min(chosen.value, offered.length - 1);

  const put = (from: number, to: number, nick: string) => {
    const text = composer.text.peek();
    const behind = text.slice(to).replace(/^ /u, "");
    const named = `@${nick} `;
    composer.write(text.slice(0, from) + named + behind);
    begins.value = null;
    requestAnimationFrame(() => {
      area.current?.focus({ preventScroll: true });
      area.current?.setSelectionRange(from + named.length, from + named.length);
    });
  };
  useEffect(() => {
    chat.mention = (nick) => {
      const text = composer.text.peek();
      const caret = area.current?.selectionEnd ?? text.length;
      const space = caret > 0 && !/\s/u.test(text[caret - 1] ?? "") ? " " : "";
      if (space) composer.write(`${text.slice(0, caret)} ${text.slice(caret)}`);
      put(caret + space.length, caret + space.length, nick);
    };
    return () => {
      chat.mention = () => {};
    };
  }, [chat]);

  return {
    offered,
    chosen: at,
    id,
    look() {
      const element = area.current;
      if (!element || !chat.isRoom.peek()) return;
      const caret = element.selectionEnd;
      const next = element.selectionStart === caret ? begun(element.value, caret) : null;
      if (next === null || next.from !== refused.peek()) refused.value = -1;
      else return;
      if (next?.from !== begins.peek()?.from || next?.typed !== begins.peek()?.typed) {
        begins.value = next;
        chosen.value = 0;
      }
    },
    key(event) {
      if (offered.length === 0) return false;
      const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
      const one = offered[at];
      if (step !== 0) chosen.value = (at + step + offered.length) % offered.length;
      else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && one) this.take(one);
      else if (event.key === "Escape") {
        refused.value = begins.peek()?.from ?? -1;
        begins.value = null;
      } else return false;
      event.preventDefault();
      event.stopPropagation();
      return true;
    },
    take(one) {
      const from = begins.peek();
      if (from) put(from.from, from.from + 1 + from.typed.length, one.nick);
    },
  };
}

export function MentionList({ chat, mentions }: { chat: Chat; mentions: Mentions }) {
  const { offered, chosen, id } = mentions;
  if (offered.length === 0) return null;
  return (
    <ul class="mentions" role="listbox" id={`${id}-list`} aria-label={words().rooms.mentionList}>
      {offered.map((one, index) => (
        <li
          key={one.who}
          id={`${id}-${index}`}
          class={index === chosen ? "mentions-one mentions-chosen" : "mentions-one"}
          role="option"
          aria-selected={index === chosen}
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => mentions.take(one)}
        >
          <Avatar address={one.who} name={one.name} avatar={chat.store.contact(one.who)?.avatar} size={30} />
          <bdi class="mentions-name">{one.name}</bdi>
          {one.nick !== one.name && <bdi class="mentions-nick">@{one.nick}</bdi>}
        </li>
      ))}
    </ul>
  );
}
