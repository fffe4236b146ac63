// Who is typing, in words.

import type { Conversation } from "../core/types";
import { fill, words } from "../i18n";

/** In a conversation of two it is clear who. Nothing when nobody is typing. */
export function typingWords({ typing, room }: Pick<Conversation, "typing" | "room">): string {
  const [name, other, ...more] = typing;
  if (name === undefined) return "";
  const w = words().rooms;
  if (!room) return words().shell.typing;
  if (other === undefined) return fill(w.typing, { name });
  return more.length === 0 ? fill(w.typingTwo, { name, other }) : fill(w.typingMore(more.length + 1), { name });
}
