// Where messages are written.

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { fill, words } from "../../../i18n";
import { composing, Icon, IconButton, openMenu, touch } from "../../kit";
import { unblock } from "../../people/block";
import { settings } from "../../shell/settings";
import type { Chat } from "../state";
import { what } from "../timeline/describe";
import { EmojiPopover } from "../emoji/popover";
import { Gate, mayWrite } from "./gate";
import { Honest, Stranger } from "./honest";
import { MentionList, useMentions } from "./mentions";
import { recorderOf, type Recorder } from "./recorder";
import { RecorderBar, RecordButton } from "./recorder-bar";
import { pastedFiles } from "./pasted";
import type { Composer } from "./state";
import { Tray } from "./tray";
import "./composer.css";

export function ComposerView({ chat, composer }: { chat: Chat; composer: Composer }) {
  const say = words().chat;
  const area = useRef<HTMLTextAreaElement>(null);
  const pick = useSignal(false);
  const recorder = useRecorder(chat, composer);
  const emojiButton = useRef<HTMLButtonElement>(null);
  const editing = chat.editing.value;
  const plain = !chat.encrypted;

  useSignalEffect(() => {
    const message = chat.editing.value;
    const text = message?.content.is === "text" ? message.content.text : "";
    composer.follow(message && { id: message.id, text });
  });
  useSignalEffect(() => {
    const draft = chat.conversation.value?.draft;
    if (draft !== undefined) composer.adopt(draft);
  });
  useEffect(() => {
    chat.focusComposer = () => {
      requestAnimationFrame(() => {
        const element = area.current;
        if (!element) return;
        element.focus({ preventScroll: true });
        element.setSelectionRange(element.value.length, element.value.length);
      });
    };
    if (!touch.peek()) area.current?.focus({ preventScroll: true });
    return () => {
      chat.focusComposer = () => {};
    };
  }, []);
  const mentions = useMentions(chat, composer, area);
  const text = composer.text.value;
  useLayoutEffect(() => grow(area.current), [text]);

  if (chat.contact.value?.blocked) return <Blocked chat={chat} />;
  if (!mayWrite(chat)) return <Gate chat={chat} />;
  if (recorder.state.value !== "idle") {
    return (
      <div class="composer">
        <RecorderBar recorder={recorder} />
      </div>
    );
  }
  const insert = (emoji: string) => {
    const element = area.current;
    const start = element?.selectionStart ?? text.length;
    const end = element?.selectionEnd ?? start;
    composer.write(text.slice(0, start) + emoji + text.slice(end));
    requestAnimationFrame(() => element?.setSelectionRange(start + emoji.length, start + emoji.length));
  };
  const files = composer.files.value.length > 0;
  return (
    <div class="composer">
      <Stranger chat={chat} />
      <Honest chat={chat} writing={composer.ready} />
      <About chat={chat} />
      <Tray composer={composer} />
      <MentionList chat={chat} mentions={mentions} />
      <div class="composer-line">
        {!editing && <AttachButton composer={composer} />}
        <div class={plain ? "composer-field composer-field-plain" : "composer-field"}>
          <IconButton
            ref={emojiButton}
            class="composer-emoji"
            icon="smile"
            label={say.emoji}
            aria-haspopup="dialog"
            aria-expanded={pick.value}
            onClick={() => (pick.value = true)}
          />
          <textarea
            ref={area}
            class="composer-text"
            rows={1}
            dir={text === "" ? undefined : "auto"}
            value={text}
            enterkeyhint={enterSends() ? "send" : "enter"}
            aria-label={editing ? say.editing : purpose(chat, files).label}
            placeholder={purpose(chat, files).short}
            aria-autocomplete={chat.isRoom.value ? "list" : undefined}
            aria-controls={mentions.offered.length > 0 ? `${mentions.id}-list` : undefined}
            aria-activedescendant={mentions.offered.length > 0 ? `${mentions.id}-${mentions.chosen}` : undefined}
            onInput={(event) => {
              composer.write(event.currentTarget.value);
              mentions.look();
            }}
            onKeyUp={() => mentions.look()}
            onClick={() => mentions.look()}
            onKeyDown={(event) => composing(event) || mentions.key(event) || onKey(event, chat, composer)}
            onPaste={(event) => {
              const pasted = pastedFiles(event.clipboardData);
              if (pasted.length === 0) return;
              event.preventDefault();
              composer.attach(pasted);
            }}
            onBlur={() => void composer.keep()}
          />
          <span class="composer-lock" aria-hidden="true">
            <Icon name={plain ? "lockOpen" : "lock"} size={16} />
          </span>
        </div>
        {composer.ready || editing ? (
          <IconButton
            class="composer-send"
            strong
            icon={editing ? "check" : "send"}
            label={editing ? say.saveEdit : say.send}
            disabled={!composer.ready}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => composer.send()}
          />
        ) : (
          <RecordButton recorder={recorder} />
        )}
      </div>
      {pick.value && (
        <EmojiPopover
          at={emojiButton.current}
          onPick={(emoji) => insert(emoji)}
          onClose={() => {
            pick.value = false;
            if (!touch.peek()) chat.focusComposer();
          }}
        />
      )}
    </div>
  );
}

/** Whether files can be added: the tray is on screen. */
export function takesFiles(chat: Chat): boolean {
  const open = !chat.contact.peek()?.blocked && mayWrite(chat);
  return open && recorderOf(chat.address).state.peek() === "idle";
}

/** What is written in the field: in full, and as it fits into it on a phone. */
function purpose(chat: Chat, files: boolean): { label: string; short: string } {
  const say = words().chat;
  const rooms = words().rooms;
  if (files) return { label: say.captionPlaceholder, short: say.captionPlaceholder };
  if (chat.encrypted) return { label: say.writeLabel, short: say.writePlaceholder };
  const open = chat.isRoom.value && chat.room.value?.private === false;
  if (open) return { label: rooms.writeOpenLabel, short: rooms.placeholderOpen };
  return { label: say.writePlainLabel, short: say.writePlainPlaceholder };
}

/** Records for this conversation. What is being recorded waits, paused, while another one is on screen. */
function useRecorder(chat: Chat, composer: Composer): Recorder {
  const recorder = recorderOf(chat.address);
  recorder.onDone = (file) => {
    void composer.sendNow(file).then((kept) => kept || composer.attach([file]));
  };
  useEffect(() => () => recorder.leave(), [recorder]);
  return recorder;
}

/** Whether Enter sends: where there is a keyboard, if it was not chosen otherwise. */
function enterSends(): boolean {
  return !touch.value && settings.value.enterSends;
}

function onKey(event: KeyboardEvent, chat: Chat, composer: Composer): void {
  const sends = event.key === "Enter" && !event.shiftKey && !event.altKey;
  if (sends && (enterSends() || event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    if (composer.ready) composer.send();
  } else if (event.key === "ArrowUp" && composer.text.peek() === "" && !chat.editing.peek()) {
    const last = composer.files.peek().length === 0 ? chat.lastOwn() : null;
    if (!last) return;
    event.preventDefault();
    chat.edit(last);
  } else if (event.key === "Escape" && (chat.editing.peek() || chat.replying.peek())) {
    event.preventDefault();
    event.stopPropagation();
    chat.editing.value = null;
    chat.replying.value = null;
  }
}

/** As high as its text, up to what the style allows. */
function grow(area: HTMLTextAreaElement | null): void {
  if (!area) return;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight}px`;
}

/** The bar that says what is being answered or edited. */
function About({ chat }: { chat: Chat }) {
  const say = words().chat;
  const message = chat.editing.value ?? chat.replying.value;
  if (!message) return null;
  const edits = message === chat.editing.value;
  const stop = () => {
    chat.editing.value = null;
    chat.replying.value = null;
    chat.focusComposer();
  };
  return (
    <div class="about">
      <Icon name={edits ? "edit" : "reply"} size={20} />
      <button type="button" class="about-words" onClick={() => void chat.jump(message.id)}>
        <bdi class="about-title">
          {edits ? say.editing : fill(say.replyingTo, { name: chat.authorName(message) })}
        </bdi>
        <span class="about-text" dir="auto">
          {what(chat, message).slice(0, 200)}
        </span>
      </button>
      <IconButton icon="close" size={20} label={edits ? say.stopEdit : say.stopReply} onClick={stop} />
    </div>
  );
}

function AttachButton({ composer }: { composer: Composer }) {
  const say = words().chat;
  const media = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);
  const any = useRef<HTMLInputElement>(null);
  const take = (event: { currentTarget: HTMLInputElement }) => {
    composer.attach([...(event.currentTarget.files ?? [])]);
    event.currentTarget.value = "";
  };
  const hidden = { type: "file", class: "composer-file", tabIndex: -1, "aria-hidden": true, onChange: take } as const;
  return (
    <>
      <IconButton
        icon="attach"
        label={say.attach}
        aria-haspopup="menu"
        onClick={(event) =>
          openMenu({
            label: say.attach,
            at: event.currentTarget,
            items: [
              { label: say.attachMedia, icon: "image", run: () => media.current?.click() },
              ...(touch.peek() ? [{ label: say.attachCamera, icon: "camera" as const, run: () => camera.current?.click() }] : []),
              { label: say.attachFile, icon: "file", run: () => any.current?.click() },
            ],
          })
        }
      />
      <input ref={media} {...hidden} accept="image/*,video/*" multiple aria-label={say.attachMedia} />
      <input ref={camera} {...hidden} accept="image/*" capture="environment" aria-label={say.attachCamera} />
      <input ref={any} {...hidden} multiple aria-label={say.attachFile} />
    </>
  );
}

function Blocked({ chat }: { chat: Chat }) {
  const say = words().chat;
  return (
    <div class="composer composer-blocked">
      <p>{fill(say.blockedHere, { name: chat.name.value })}</p>
      <button type="button" class="honest-button" onClick={() => void unblock(chat.store, chat.address, chat.name.peek())}>
        {say.unblock}
      </button>
    </div>
  );
}
