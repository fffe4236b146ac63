// Why a message was not sent, and what can be done about it, right below it.

import type { Message } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { Icon } from "../../kit";
import type { Chat } from "../state";
import { reasonText } from "../../reason";

export function Failure({ chat, message, tab }: { chat: Chat; message: Message; tab: number }) {
  if (message.delivery?.is !== "failed") return null;
  const say = words().chat;
  return (
    <div class="failure">
      <p class="failure-text">
        <Icon name="alert" size={16} />
        <span dir="auto">{fill(say.failed, { reason: reasonText(message.delivery.reason) })}</span>
      </p>
      <button
        type="button"
        class="failure-button"
        tabIndex={tab}
        onClick={() => void chat.try({ do: "retry", message: message.id })}
      >
        {say.retry}
      </button>
      <button type="button" class="failure-button" tabIndex={tab} onClick={() => void chat.askDiscard(message)}>
        {say.discard}
      </button>
    </div>
  );
}
