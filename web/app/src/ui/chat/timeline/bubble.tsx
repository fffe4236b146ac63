// A message as a bubble.

import type { Message } from "../../../core/types";
import { words } from "../../../i18n";
import { go } from "../../../route";
import { Button, colours, Icon } from "../../kit";
import { FileView } from "../media/file";
import { kindOf } from "../logic/files";
import { onlyEmoji } from "../logic/emoji";
import { direction } from "../logic/text";
import { namesUs } from "../logic/mentions";
import { helps, type Help } from "../logic/help";
import type { Chat } from "../state";
import { describe, why } from "./describe";
import { Failure } from "./failure";
import { HoverBar } from "./hover";
import { Meta, Spacer } from "./meta";
import { Quote } from "./quote";
import { Reactions } from "./reactions";
import { TextView } from "./text";
import "./bubble.css";

export interface BubbleProps {
  chat: Chat;
  message: Message;
  first: boolean;
  last: boolean;
  /** What can be pressed in it is in reach of the Tab key only if it is the active message. */
  tab: number;
  wanted: string;
  /** The pointer is on it. */
  hovered: boolean;
}

export function Bubble({ chat, message, first, last, tab, wanted, hovered }: BubbleProps) {
  const { content } = message;
  const large = content.is === "text" && !message.reply ? onlyEmoji(content.text) : 0;
  const bare = large > 0 && large <= 3;
  const author = first && !message.own && chat.isRoom.value;
  // On a picture without words the time stands on the picture.
  const over = content.is === "file" && shows(content.file) && !content.caption;
  const picture = over && !message.reply && !author;
  const classes = [
    "bubble",
    message.own ? "bubble-own" : "bubble-other",
    first && !bare ? "bubble-tail" : "",
    last ? "bubble-last" : "",
    bare ? "bubble-bare" : "",
    picture ? "bubble-picture" : "",
    over ? "bubble-over" : "",
    message.delivery?.is === "failed" ? "bubble-failed" : "",
    !message.own && content.is === "text" && namesUs(content.text, chat.nick.value) ? "bubble-names-us" : "",
  ];
  return (
    <div class="bubble-block">
      <div class="bubble-and-bar">
        <div class={classes.filter(Boolean).join(" ")}>
          <div class="bubble-inside">
            {author && <Author chat={chat} message={message} />}
            {message.reply && <Quote chat={chat} message={message} reply={message.reply} tab={tab} />}
            <Inside chat={chat} message={message} tab={tab} wanted={wanted} large={large} />
            <Meta chat={chat} message={message} tab={tab} />
          </div>
        </div>
        <HoverBar chat={chat} message={message} tab={tab} whole={hovered || tab === 0} />
      </div>
      <Reactions chat={chat} message={message} tab={tab} />
      <Failure chat={chat} message={message} tab={tab} />
    </div>
  );
}

/** Who wrote it, above the first of messages that belong together in a room. */
function Author({ chat, message }: { chat: Chat; message: Message }) {
  return (
    <bdi class="bubble-author" style={{ color: colours(chat.authorOf(message)).name }}>
      {chat.authorName(message)}
    </bdi>
  );
}

function Inside(props: { chat: Chat; message: Message; tab: number; wanted: string; large: number }) {
  const { chat, message, tab, wanted, large } = props;
  const { content } = message;
  const say = words().chat;
  switch (content.is) {
    case "text":
      return (
        <div class={large > 0 ? `bubble-text bubble-emoji-${large}` : bodyClass(content.text)}>
          <TextView chat={chat} message={message} wanted={wanted} tab={tab} spaced={<Spacer chat={chat} message={message} />} />
        </div>
      );
    case "file":
      return (
        <>
          <FileView chat={chat} message={message} file={content.file} tab={tab} />
          {content.caption !== null && content.caption !== "" && (
            <div class={`bubble-caption ${bodyClass(content.caption)}`}>
              <TextView chat={chat} message={message} wanted={wanted} tab={tab} spaced={<Spacer chat={chat} message={message} />} />
            </div>
          )}
        </>
      );
    case "retracted":
      return (
        <p class="bubble-text bubble-quiet">
          <Icon name="trash" size={16} /> {message.own ? say.retractedOwn : say.retracted}
          <Spacer chat={chat} message={message} />
        </p>
      );
    case "undecryptable":
      return (
        <div class="bubble-text bubble-quiet bubble-unreadable">
          <Icon name="key" size={18} />
          <p>{why(content.why)}</p>
          <Helping chat={chat} help={helps(content.why)} tab={tab} />
        </div>
      );
    default:
      return <p class="bubble-text">{describe(chat, message)}</p>;
  }
}

function Helping({ chat, help, tab }: { chat: Chat; help: Help; tab: number }) {
  const say = words().chat;
  if (help === "repair") {
    return (
      <Button kind="quiet" icon="refresh" tabIndex={tab} onClick={() => void chat.repair()}>
        {say.repair}
      </Button>
    );
  }
  if (help === "devices") {
    return (
      <Button kind="quiet" icon="device" tabIndex={tab} onClick={() => go({ at: "details", address: chat.address })}>
        {say.devices}
      </Button>
    );
  }
  return null;
}

/** A text that runs against the page has its end where the time stands: the time goes below it. */
function bodyClass(text: string): string {
  const page = document.documentElement.dir === "rtl" ? "rtl" : "ltr";
  const own = direction(text.trimEnd().split("\n").at(-1) ?? "");
  return own !== null && own !== page ? "bubble-text bubble-text-against" : "bubble-text";
}

/** Whether a file is drawn to the edges of its bubble. */
function shows(file: { name: string; mediaType: string | null }): boolean {
  const kind = kindOf(file);
  return kind === "picture" || kind === "video";
}
