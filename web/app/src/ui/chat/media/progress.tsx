import type { File, Message } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { Icon } from "../../kit";
import { legible } from "../logic/files";
import type { Chat } from "../state";

export interface ProgressProps {
  chat: Chat;
  message: Message;
  file: File;
  done: number | null;
  tab: number;
}

const ROUND = 2 * Math.PI * 18;

/** A ring that fills; a press calls the transfer off. */
export function Progress({ chat, message, file, done, tab }: ProgressProps) {
  const say = words().chat;
  const name = legible(file.name);
  const percent = Math.round((done ?? 0) * 100);
  const label = done === null ? fill(say.transferWaiting, { name }) : fill(say.transferring, { percent, name });
  return (
    <span class="progress-holder">
      <span
        class="hidden-text"
        role="progressbar"
        aria-label={label}
        aria-valuenow={done === null ? undefined : percent}
        aria-valuemin={0}
        aria-valuemax={100}
      />
      <button
        type="button"
        class={done === null ? "progress progress-waits" : "progress"}
        aria-label={say.transferCancel}
        title={say.transferCancel}
        tabIndex={tab}
        onClick={() => chat.cancel(message)}
      >
        <svg width="44" height="44" viewBox="0 0 44 44" aria-hidden="true" focusable="false">
          <circle class="progress-track" cx="22" cy="22" r="18" />
          <circle
            class="progress-arc"
            cx="22"
            cy="22"
            r="18"
            stroke-dasharray={ROUND}
            stroke-dashoffset={ROUND * (1 - (done ?? 0.2))}
          />
        </svg>
        <Icon name="close" size={18} />
      </button>
    </span>
  );
}
