import { useEffect, useRef, useState } from "preact/hooks";

import { fill, words } from "../../../i18n";
import { Button, Dialog, Icon, Spinner } from "../../kit";
import { kindOf, legible, typeOf } from "../logic/files";
import * as times from "../logic/times";
import type { Chat } from "../state";
import type { AllFiles } from "./all";
import { sizeOf } from "./file";
import { save } from "./save";
import { smalls } from "./small";
import { Thumbnail } from "./thumbnail";
import type { Filed } from "./viewer-parts";
import "./gallery.css";

/** All pictures and files of the conversation, the newest first. */
export function Gallery({ chat }: { chat: Chat }) {
  const say = words().chat;
  const all = chat.files.value;
  const files = all?.files.value ?? [];
  const state = all?.state.value ?? "done";
  const [seen, others] = [files.filter(isSeen), files.filter((one) => !isSeen(one))];
  return (
    <Dialog title={say.galleryTitle} large onClose={() => chat.closeGallery()}>
      {files.length === 0 && state === "done" && <p class="gallery-empty">{say.galleryEmpty}</p>}
      <div class="gallery-grid">
        {seen.map((one) => (
          <Thumb key={one.id} chat={chat} message={one} />
        ))}
      </div>
      {others.map((one) => (
        <Line key={one.id} chat={chat} message={one} />
      ))}
      {all && state !== "done" && <More all={all} />}
    </Dialog>
  );
}

/** The end of what is here: the next ones come when it is seen. */
function More({ all }: { all: AllFiles }) {
  const say = words().chat;
  const end = useRef<HTMLDivElement>(null);
  const state = all.state.value;
  useEffect(() => {
    const element = end.current;
    if (!element || state !== "idle") return;
    const eye = new IntersectionObserver((seen) => {
      if (seen.some((one) => one.isIntersecting)) void all.more();
    });
    eye.observe(element);
    return () => eye.disconnect();
  }, [all, state]);
  return (
    <div ref={end} class="gallery-more">
      {state === "failed" ? (
        <>
          <p role="alert">{say.galleryFailed}</p>
          <Button icon="retry" onClick={() => void all.more()}>
            {say.again}
          </Button>
        </>
      ) : (
        <Spinner size={28} label={say.galleryMore} />
      )}
    </div>
  );
}

/** Pictures and films. */
function isSeen({ content: { file } }: Filed): boolean {
  return kindOf(file) === "picture" || kindOf(file) === "video";
}

interface OneProps {
  chat: Chat;
  message: Filed;
}

function Thumb({ chat, message }: OneProps) {
  const say = words().chat;
  const { file } = message.content;
  const film = kindOf(file) === "video";
  const name = file.picture?.description ?? legible(file.name);
  return (
    <button
      type="button"
      class="gallery-picture"
      aria-label={fill(film ? say.viewFilm : say.viewPicture, { name })}
      onClick={() => chat.view(message.id)}
    >
      {file.local !== null && !film ? (
        <Small chat={chat} message={message} />
      ) : file.picture?.thumbnail ? (
        <Thumbnail uri={file.picture.thumbnail} />
      ) : (
        !film && <Icon name="image" size={28} />
      )}
      {film && (
        <span class="gallery-film">
          <Icon name="play" size={24} />
        </span>
      )}
    </button>
  );
}

/** A picture that is here, as long as it is in sight or near it. One that moves stands still: there may be many. */
function Small({ chat, message }: OneProps) {
  const place = useRef<HTMLSpanElement>(null);
  const near = useNear(place);
  const [url, setUrl] = useState<string | null>(null);
  const { core } = chat.store;
  const { local } = message.content.file;
  const type = typeOf(message.content.file);
  useEffect(() => {
    if (!near || local === null) return;
    let made: string | null = null;
    const end = smalls.ask(core, local, type, (small) => setUrl((made = small && URL.createObjectURL(small))));
    return () => {
      end();
      setUrl(null);
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [core, local, type, near]);
  return (
    <span ref={place} class="gallery-place">
      {url === null ? <Icon name="image" size={28} /> : <img class="gallery-image" src={url} alt="" decoding="async" />}
    </span>
  );
}

/** Whether something is in sight, or less than a screen away from it. */
function useNear(place: { current: HTMLElement | null }): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const eye = new IntersectionObserver((seen) => setNear(seen.at(-1)?.isIntersecting ?? false), {
      root: element.closest(".dialog-content"),
      rootMargin: "100% 0%",
    });
    eye.observe(element);
    return () => eye.disconnect();
  }, []);
  return near;
}

/** A sound, which is played, or a file, which is saved. */
function Line({ chat, message }: OneProps) {
  const say = words().chat;
  const { file } = message.content;
  const name = legible(file.name);
  const sounds = kindOf(file) === "audio";
  return (
    <button
      type="button"
      class="gallery-line"
      onClick={() => {
        if (sounds) chat.view(message.id);
        else void save(chat, message);
      }}
    >
      <Icon name={sounds ? "play" : "file"} size={24} />
      <span class="hidden-text">{sounds ? say.play : say.save} </span>
      <span class="gallery-words">
        <bdi class="gallery-name">{name}</bdi>
        <span class="gallery-size">
          {sizeOf(file)} · {times.brief(message.time)}
        </span>
      </span>
      {!sounds && <Icon name="download" size={20} />}
    </button>
  );
}
