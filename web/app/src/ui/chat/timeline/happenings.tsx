// What happened in a room between two messages, in small lines. Of many only the last are shown, until
// somebody wants to see them all.

import { useRef, useState } from "preact/hooks";

import type { Message } from "../../../core/types";
import { words } from "../../../i18n";
import { Button } from "../../kit";
import * as times from "../logic/times";
import type { Chat } from "../state";
import { FEW, said } from "./happened";

export function Happenings({ chat, message, tab }: { chat: Chat; message: Message; tab: number }) {
  const [open, setOpen] = useState(false);
  const all = message.content.is === "room" ? message.content.happenings : [];
  const hidden = open || all.length <= FEW + 1 ? 0 : all.length - FEW;
  return (
    <div class="event happenings">
      {hidden > 0 && (
        <Button kind="quiet" tabIndex={tab} aria-expanded={false} onClick={() => setOpen(true)}>
          {words().rooms.happenings.earlier(hidden)}
        </Button>
      )}
      <ul>
        {all.slice(hidden).map((one, at) => (
          <li key={hidden + at} dir="auto">
            <span>{said(chat, one)}</span>
            <time dir="auto" class="event-time" dateTime={new Date(one.time).toISOString()}>
              {times.minute(one.time)}
            </time>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The newest, for those who listen, if it happens while they are here. */
export function SaidHappenings({ chat }: { chat: Chat }) {
  const since = useRef(Date.now());
  const last = chat.messages.value.at(-1);
  const one = last?.content.is === "room" ? last.content.happenings.at(-1) : undefined;
  return (
    <p class="hidden-text" role="status">
      {one && one.time > since.current ? said(chat, one) : ""}
    </p>
  );
}
