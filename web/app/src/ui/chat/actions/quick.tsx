import { useLayoutEffect, useRef } from "preact/hooks";

import type { Message } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { Icon, place, useModal } from "../../kit";
import type { Chat } from "../state";
import { toned } from "../emoji/tone";
import { react } from "./menu";
import "./quick.css";

const QUICK = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

export interface QuickProps {
  chat: Chat;
  message: Message;
  close: () => void;
  /** There is nothing else in the menu: the focus starts here. */
  focus?: boolean;
}

/** A row of six reactions, and a way to all others. */
export function QuickReactions({ chat, message, close, focus = false }: QuickProps) {
  const row = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (focus) requestAnimationFrame(() => row.current?.querySelector("button")?.focus());
  }, []);
  const own = message.reactions.find((one) => one.sender === chat.self)?.emoji ?? [];
  const say = words().chat;
  return (
    <div ref={row} class="react-row" role="group" aria-label={say.react} onKeyDown={move}>
      {QUICK.map((one) => toned(one)).map((emoji) => (
        <button
          key={emoji}
          type="button"
          class={own.includes(emoji) ? "react-emoji react-emoji-own" : "react-emoji"}
          aria-pressed={own.includes(emoji)}
          aria-label={fill(own.includes(emoji) ? say.removeReaction : say.addReaction, { emoji })}
          onClick={() => {
            close();
            react(chat, message, emoji);
          }}
        >
          {emoji}
        </button>
      ))}
      <button
        type="button"
        class="react-emoji react-more"
        aria-label={say.moreEmoji}
        title={say.moreEmoji}
        onClick={() => {
          close();
          chat.sheet.value = { is: "react", message: message.id };
        }}
      >
        <Icon name="plus" size={20} />
      </button>
    </div>
  );
}

/** The row of reactions alone, at a button. */
export function QuickPopover(props: { label: string; chat: Chat; message: Message; at: Element; onClose: () => void }) {
  const { label, chat, message, at, onClose } = props;
  const dialog = useModal(onClose);
  useLayoutEffect(() => {
    if (dialog.current) place(dialog.current, at);
  }, []);
  return (
    <dialog ref={dialog} class="react-popover" aria-label={label}>
      <QuickReactions chat={chat} message={message} close={onClose} focus />
    </dialog>
  );
}

function move(event: KeyboardEvent): void {
  const all = [...(event.currentTarget as Element).querySelectorAll("button")];
  const now = all.indexOf(document.activeElement as HTMLButtonElement);
  const rtl = getComputedStyle(event.currentTarget as Element).direction === "rtl";
  const step = { ArrowRight: rtl ? -1 : 1, ArrowLeft: rtl ? 1 : -1 }[event.key];
  if (step !== undefined) {
    event.preventDefault();
    all[(now + step + all.length) % all.length]?.focus();
  } else if (event.key === "ArrowDown") {
    event.preventDefault();
    (event.currentTarget as Element).closest("dialog")?.querySelector<HTMLElement>(".menu-item")?.focus();
  }
}
