import { useLayoutEffect } from "preact/hooks";

import { words } from "../../../i18n";
import { Dialog, phone, place, touch, useModal } from "../../kit";
import { Picker } from "./picker";

export interface EmojiProps {
  /** What it belongs to; in the middle without. */
  at: Element | null;
  onPick: (emoji: string) => void;
  onClose: () => void;
}

/** The choice of emoji: above what asked for it, or from the bottom of a phone. */
export function EmojiPopover({ at, onPick, onClose }: EmojiProps) {
  if (phone.value || !at) {
    return (
      <Dialog title={words().chat.emojiTitle} bare onClose={onClose} class="picker-dialog">
        <Picker onPick={onPick} focus={!touch.peek()} />
      </Dialog>
    );
  }
  return <Floating at={at} onPick={onPick} onClose={onClose} />;
}

function Floating({ at, onPick, onClose }: EmojiProps & { at: Element }) {
  const dialog = useModal(onClose);
  useLayoutEffect(() => {
    if (dialog.current) place(dialog.current, at);
  }, []);
  return (
    <dialog ref={dialog} class="picker-floating" aria-label={words().chat.emojiTitle}>
      <Picker onPick={onPick} focus={!touch.peek()} />
    </dialog>
  );
}
