import type { File, Message } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { Dialog, Icon } from "../../kit";
import { kindOf, legible, typeOf } from "../logic/files";
import * as times from "../logic/times";
import type { Chat } from "../state";
import { sizeOf } from "./file";
import { save } from "./save";
import { useLocal } from "./urls";
import "./gallery.css";

/** All pictures and files among the messages that are loaded, the newest first. */
export function Gallery({ chat }: { chat: Chat }) {
  const say = words().chat;
  const files = chat.messages.value
    .filter((one) => one.content.is === "file")
    .reverse()
    .slice(0, 600);
  const isPicture = (one: Message) => one.content.is === "file" && kindOf(one.content.file) === "picture";
  const pictures = files.filter(isPicture);
  const others = files.filter((one) => !isPicture(one));
  return (
    <Dialog title={say.galleryTitle} large onClose={() => (chat.sheet.value = null)}>
      {files.length === 0 && <p class="gallery-empty">{say.galleryEmpty}</p>}
      <div class="gallery-grid">
        {pictures.map((one) => one.content.is === "file" && <Thumb key={one.id} chat={chat} message={one} file={one.content.file} />)}
      </div>
      {others.map(
        (one) => one.content.is === "file" && <Line key={one.id} chat={chat} message={one} file={one.content.file} />,
      )}
    </Dialog>
  );
}

interface ThumbProps {
  chat: Chat;
  message: Message;
  file: File;
}

function Thumb({ chat, message, file }: ThumbProps) {
  const local = useLocal(chat.store.core, file.local, typeOf(file));
  return (
    <button
      type="button"
      class="gallery-picture"
      aria-label={fill(words().chat.viewPicture, { name: legible(file.name) })}
      onClick={() => (chat.sheet.value = { is: "viewer", message: message.id })}
    >
      {local ? <img src={local.url} alt="" loading="lazy" decoding="async" /> : <Icon name="image" size={28} />}
    </button>
  );
}

function Line({ chat, message, file }: ThumbProps) {
  const name = legible(file.name);
  return (
    <button
      type="button"
      class="gallery-line"
      aria-label={fill(words().chat.saveFile, { name })}
      onClick={() => void save(chat, message)}
    >
      <Icon name={kindOf(file) === "other" ? "file" : "play"} size={24} />
      <span class="gallery-words">
        <bdi class="gallery-name">{name}</bdi>
        <span class="gallery-size">
          {sizeOf(file)} · {times.brief(message.time)}
        </span>
      </span>
      <Icon name="download" size={20} />
    </button>
  );
}
