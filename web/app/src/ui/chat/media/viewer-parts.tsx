import type { Message } from "../../../core/types";
import { words } from "../../../i18n";
import { Icon } from "../../kit";

/** A message with a file. */
export type Filed = Message & { content: Extract<Message["content"], { is: "file" }> };

/** Why there is nothing to see, and a way to it if there is one. */
export function Problem({ text, again }: { text: string; again?: () => void }) {
  return (
    <div class="viewer-problem">
      <p>{text}</p>
      {again && (
        <button type="button" class="viewer-again" onClick={again}>
          <Icon name="retry" size={20} /> {words().chat.fetchAgain}
        </button>
      )}
    </div>
  );
}
