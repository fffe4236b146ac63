// Why a message was not sent, and the one thing that helps, right below it. Its menu has the rest.

import type { Message } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { Icon } from "../../kit";
import type { Chat } from "../state";
import { reasonOf, reasonText, type ReasonCode } from "../../reason";

/** The same again would end the same way. */
const FINAL: ReasonCode[] = ["cannotBeRead", "textBytes", "tooLarge", "uploadSize"];

export function Failure({ chat, message, tab }: { chat: Chat; message: Message; tab: number }) {
  if (message.delivery?.is !== "failed") return null;
  const say = words().chat;
  const { reason } = message.delivery;
  const final = isFinal(reason);
  return (
    <div class="failure">
      <p class="failure-text">
        <Icon name="alert" size={16} />
        <span dir="auto">{fill(say.failed, { reason: reasonText(reason) })}</span>
      </p>
      <button
        type="button"
        class="failure-button"
        tabIndex={tab}
        onClick={() => void (final ? chat.askDiscard(message) : chat.try({ do: "retry", message: message.id }))}
      >
        {final ? say.discard : say.retry}
      </button>
    </div>
  );
}

/** Also where it is the reason of another reason. */
function isFinal(said: string): boolean {
  const reason = reasonOf(said);
  return reason !== null && (FINAL.includes(reason.code) || reason.about.some(isFinal));
}
