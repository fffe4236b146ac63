// Pictures, films and sounds of a conversation, one at a time and as large as the screen.

import { useEffect, useState } from "preact/hooks";

import type { Message } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { Icon, IconButton, useModal } from "../../kit";
import { kindOf, legible } from "../logic/files";
import * as times from "../logic/times";
import type { Chat } from "../state";
import { fileWord } from "../timeline/describe";
import { save } from "./save";
import type { Filed } from "./viewer-parts";
import { Plays } from "./viewer-plays";
import { Stage } from "./viewer-stage";
import "./viewer.css";

/** Who looks back comes to the next part when so few are left. */
const NEAR = 5;

/**
 * What can be looked at or listened to, the oldest first: of the whole conversation, as far as it was asked for;
 * until that reaches to this message, of the messages that are loaded.
 */
function shown(chat: Chat, id: number): Filed[] {
  const files = chat.files.value?.files.value ?? [];
  const all: Message[] = files.some((one) => one.id === id) ? [...files].reverse() : chat.messages.value;
  return all.filter((one): one is Filed => one.content.is === "file" && kindOf(one.content.file) !== "other");
}

export function Viewer({ chat, message }: { chat: Chat; message: number }) {
  const [id, setId] = useState(message);
  const all = shown(chat, id);
  const close = () => chat.closeGallery();
  const dialog = useModal(close);
  const at = all.findIndex((one) => one.id === id);
  const now = all[at];
  const state = chat.files.value?.state.value ?? "done";
  const near = at < NEAR;
  useEffect(() => {
    if (near && state === "idle") void chat.files.peek()?.more();
  }, [near, state]);
  useEffect(() => {
    if (!now) close();
    else if (now.content.file.local === null && kindOf(now.content.file) === "picture") void chat.fetch(now);
  }, [now?.id]);
  useEffect(() => {
    // A button that had the focus is gone at either end; keys go on.
    if (document.activeElement === document.body) dialog.current?.focus();
  });
  const step = (by: number) => {
    const next = all[at + by];
    if (next) setId(next.id);
    else if (by < 0 && state === "failed") void chat.files.peek()?.more();
  };
  const say = words().chat;
  if (!now) return <dialog ref={dialog} class="viewer" aria-label={say.file} />;
  const { file, caption } = now.content;
  const failed = state === "failed" && at === 0;
  const rtl = document.documentElement.dir === "rtl";
  return (
    <dialog
      ref={dialog}
      class="viewer"
      tabIndex={-1}
      aria-label={fileWord(file)}
      onKeyDown={(event) => {
        // Within what plays, arrows go to another place of that.
        if ((event.target as Element).closest("input, video")) return;
        const by = { ArrowRight: rtl ? -1 : 1, ArrowLeft: rtl ? 1 : -1 }[event.key];
        if (by !== undefined) step(by);
      }}
    >
      <header class="viewer-header">
        <div class="viewer-words">
          <bdi class="viewer-name">{chat.authorName(now)}</bdi>
          <span class="viewer-time">
            {times.brief(now.time)}
            {/* How many there are is known once all were asked for. */}
            {state === "done" && ` · ${fill(say.viewerCount, { n: at + 1, all: all.length })}`}
            {failed && <span role="alert"> · {say.galleryFailed}</span>}
          </span>
        </div>
        <IconButton icon="download" label={fill(say.saveFile, { name: legible(file.name) })} onClick={() => void save(chat, now)} />
        <IconButton icon="close" label={say.close} onClick={close} />
      </header>
      {kindOf(file) === "picture" ? (
        <Stage key={now.id} chat={chat} message={now} onStep={step} onClose={close} />
      ) : (
        <Plays key={now.id} chat={chat} message={now} />
      )}
      {(at > 0 || failed) && (
        <button
          type="button"
          class="viewer-step viewer-previous"
          aria-label={failed ? say.again : say.viewerPrevious}
          onClick={() => step(-1)}
        >
          <Icon name={failed ? "retry" : "chevronBack"} size={26} />
        </button>
      )}
      {at < all.length - 1 && (
        <button type="button" class="viewer-step viewer-next" aria-label={say.viewerNext} onClick={() => step(1)}>
          <Icon name="chevron" size={26} />
        </button>
      )}
      {caption && (
        <p class="viewer-caption" dir="auto">
          {caption}
        </p>
      )}
    </dialog>
  );
}
