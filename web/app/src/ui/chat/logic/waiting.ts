// What waits behind the messages that somebody has seen.

import type { Message } from "../../../core/types";
import { namesUs } from "./mentions";
import { isEvent } from "./rows";

/** So many messages are looked at. */
const MOST = 1_000;

export interface Waiting {
  /** Messages of others. */
  count: number;
  /** Those of them that name this account, and the first of those. */
  mentions: number;
  next: number | null;
}

/** What stands behind a place; `nick` is what the room calls this account. */
export function waiting(messages: readonly Message[], seen: string, nick: string | null): Waiting {
  let [count, mentions, next] = [0, 0, null as number | null];
  for (let at = messages.length - 1; at >= 0 && count < MOST; at--) {
    const message = messages[at];
    if (!message || message.place <= seen) break;
    if (message.own || isEvent(message)) continue;
    count++;
    const { content } = message;
    if (content.is !== "text" || !namesUs(content.text, nick)) continue;
    mentions++;
    next = message.id;
  }
  return { count, mentions, next };
}
