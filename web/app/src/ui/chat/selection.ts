// Messages that were chosen. They are kept as they were then: the window may be put somewhere else meanwhile.

import type { Message } from "../../core/types";
import type { Window } from "../../state/store";

export type Chosen = ReadonlyMap<number, Message>;

/** The choice with one more, or without it; `null` once nothing is chosen. */
export function toggle(chosen: Chosen | null, message: Message): Chosen | null {
  const now = new Map(chosen ?? []);
  if (!now.delete(message.id)) now.set(message.id, message);
  return now.size > 0 ? now : null;
}

/**
 * What is chosen, in its order, and as it is now as far as it is in the window. What was there, and is gone from
 * among its neighbours, is chosen no longer.
 */
export function selected(chosen: Chosen, window: Window | undefined): Message[] {
  const loaded = new Map((window?.messages ?? []).map((one) => [one.id, one]));
  const [first, last] = [window?.messages[0], window?.messages.at(-1)];
  const covers = ({ place }: Message) =>
    first !== undefined && last !== undefined && place >= first.place && (place <= last.place || window?.newer === false);
  return [...chosen.values()]
    .map((one) => loaded.get(one.id) ?? (covers(one) ? null : one))
    .filter((one) => one !== null)
    .sort((a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : a.id - b.id));
}
