// A file in a bubble: a picture, something that plays, or a card.

import { useEffect } from "preact/hooks";

import type { File, Message } from "../../../core/types";
import { fill, language, words } from "../../../i18n";
import { Icon, IconButton } from "../../kit";
import { clock, comesByItself, ending, kindOf, legible, network, parted, sized, told, typeOf } from "../logic/files";
import type { Chat } from "../state";
import { AudioView } from "./audio";
import { PictureView } from "./picture";
import { Progress } from "./progress";
import { save } from "./save";
import { useTransfer } from "./transfer";
import { settings } from "../../shell/settings";
import { VideoView } from "./video";
import "./media.css";

export interface FileProps {
  chat: Chat;
  message: Message;
  file: File;
  tab: number;
}

export function FileView({ chat, message, file, tab }: FileProps) {
  const strangers = chat.ofStrangers.value;
  useEffect(() => {
    const comes = comesByItself(file, settings.value.fetch, network(), strangers);
    if (file.local === null && comes && !chat.fetching.peek().has(message.id)) {
      void chat.fetch(message);
    }
  }, [file.local, strangers]);
  switch (kindOf(file)) {
    case "picture":
      return <PictureView chat={chat} message={message} file={file} tab={tab} />;
    case "video":
      return <VideoView chat={chat} message={message} file={file} tab={tab} />;
    case "audio":
      return <AudioView chat={chat} message={message} file={file} tab={tab} type={typeOf(file)} />;
    case "other":
      return <Card chat={chat} message={message} file={file} tab={tab} />;
  }
}

/** How large a file is, in words; and how long, where that was told. */
export function sizeOf(file: File): string {
  const size = file.size === null ? words().chat.sizeUnknown : sized(file.size, language.value);
  const seconds = told(file);
  return seconds === null ? size : `${clock(seconds)} · ${size}`;
}

/** A file that is not shown, only fetched and saved. */
function Card({ chat, message, file, tab }: FileProps) {
  const say = words().chat;
  const transfer = useTransfer(chat, message, file);
  const name = legible(file.name);
  const { start, end } = parted(name);
  const label =
    file.local === null
      ? fill(say.fetchFile, { name, size: sizeOf(file) })
      : fill(say.saveFile, { name });
  return (
    <div class="card">
      {transfer.busy ? (
        <Progress chat={chat} message={message} file={file} done={transfer.done} tab={tab} />
      ) : (
        <span class="card-icon" aria-hidden="true">
          {ending(name) ? <span class="card-ending">{ending(name)}</span> : <Icon name="file" size={24} />}
        </span>
      )}
      <div class="card-words">
        <span class="card-name" dir="auto" title={name}>
          <span class="card-name-start">{start}</span>
          <span class="card-name-end">{end}</span>
        </span>
        <span class="card-size">{transfer.failed ? fill(say.fetchFailed, { reason: transfer.failed }) : sizeOf(file)}</span>
      </div>
      {!transfer.busy && (
        <IconButton
          icon={transfer.failed ? "retry" : "download"}
          label={label}
          tabIndex={tab}
          onClick={() => void save(chat, message)}
        />
      )}
    </div>
  );
}
