// Quiet lines in the middle: what happened, and what people do (`/me`, XEP-0245).

import type { Message } from "../../../core/types";
import { words } from "../../../i18n";
import { go } from "../../../route";
import { Button, Icon, type IconName } from "../../kit";
import { direction } from "../logic/text";
import * as times from "../logic/times";
import type { Chat } from "../state";
import { happened } from "./describe";
import { Meta } from "./meta";
import { Reactions } from "./reactions";
import { TextView } from "./text";
import { HoverBar } from "./hover";
import { Failure } from "./failure";
import { Happenings } from "./happenings";

const ICONS: Partial<Record<Message["content"]["is"], IconName>> = {
  newDevice: "device",
  optOut: "lockOpen",
  invited: "people",
  declined: "people",
  asks: "people",
};

export function EventLine({ chat, message, tab }: { chat: Chat; message: Message; tab: number }) {
  const say = words().chat;
  const { content } = message;
  if (content.is === "room") return <Happenings chat={chat} message={message} tab={tab} />;
  const quiet =
    ["invited", "declined", "asks"].includes(content.is) || (content.is === "newDevice" && content.trusted);
  return (
    <div class={quiet ? "event" : "event event-warns"}>
      <p class="event-text" dir="auto">
        <Icon name={ICONS[content.is] ?? "info"} size={16} />
        <span>
          {happened(chat, message)} {content.is === "optOut" && chat.encrypted && say.optOutDecide}
        </span>
        <time dir="auto" class="event-time" dateTime={new Date(message.time).toISOString()}>
          {times.minute(message.time)}
        </time>
      </p>
      {content.is === "newDevice" && (
        <Button kind="quiet" tabIndex={tab} onClick={() => go({ at: "details", address: content.owner === chat.self ? chat.self : chat.address })}>
          {say.lookAtDevice}
        </Button>
      )}
      {content.is === "asks" && waits(chat, content) && (
        <Button kind="quiet" tabIndex={tab} onClick={() => go({ at: "details", address: chat.address })}>
          {words().rooms.requests.answer}
        </Button>
      )}
      {content.is === "optOut" && chat.encrypted && (
        <div class="event-choices">
          <Button kind="quiet" tabIndex={tab} onClick={() => void chat.encrypt(true)}>
            {say.keepEncrypting}
          </Button>
          <Button kind="quiet" tabIndex={tab} onClick={() => void chat.askPlain()}>
            {say.writePlain}
          </Button>
        </div>
      )}
    </div>
  );
}

/** Whether nobody has answered a request yet. */
function waits(chat: Chat, { nick, address }: { nick: string; address: string | null }): boolean {
  return chat.room.value?.requests.some((one) => one.nick === nick && one.address === address) ?? false;
}

/** "Anna waves". */
export function ActionLine(props: {
  chat: Chat;
  message: Message;
  wanted: string;
  tab: number;
  hovered: boolean;
}) {
  const { chat, message, wanted, tab, hovered } = props;
  const { content } = message;
  // The name is part of what is said, and reads in its direction.
  const dir = content.is === "text" ? direction(content.text.replace(/^\/me\s/, "")) : null;
  return (
    <div class="action-block">
      <div class="action-line bubble" dir={dir ?? undefined}>
        <span class="action-star" aria-hidden="true">
          ✱
        </span>
        <div class="action-text">
          <bdi class="action-name">{chat.authorName(message)}</bdi>{" "}
          <TextView chat={chat} message={message} wanted={wanted} tab={tab} />
        </div>
        <Meta chat={chat} message={message} tab={tab} />
      </div>
      <HoverBar chat={chat} message={message} tab={tab} whole={hovered || tab === 0} />
      <Reactions chat={chat} message={message} tab={tab} />
      <Failure chat={chat} message={message} tab={tab} />
    </div>
  );
}
