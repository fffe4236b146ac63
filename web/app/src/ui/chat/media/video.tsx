// A video, which comes only when it is asked for.

import { useSignalEffect } from "@preact/signals";
import { useRef, useState } from "preact/hooks";

import { fill, words } from "../../../i18n";
import { box, legible, typeOf } from "../logic/files";
import { sizeOf, type FileProps } from "./file";
import { Frame, Unshown } from "./frame";
import { room } from "./picture";
import * as playback from "./playback";
import { useTransfer } from "./transfer";
import { useLocal } from "./urls";

export function VideoView({ chat, message, file, tab }: FileProps) {
  const say = words().chat;
  const transfer = useTransfer(chat, message, file);
  const local = useLocal(chat.store.core, file.local, typeOf(file));
  const [broken, setBroken] = useState(false);
  const place = box(file.picture?.width || 16, file.picture?.height || 9, room());
  const says = transfer.failed ? fill(say.fetchFailed, { reason: transfer.failed }) : `${say.video} · ${sizeOf(file)}`;
  if (broken || local === null) return <Unshown {...{ chat, message, file, tab, transfer }} icon="play" gone={local === null} />;
  return (
    <Frame
      {...{ chat, message, file, tab, transfer, says }}
      class="video no-swipe"
      width={Math.max(place.width, room())}
      sides={place}
      blurred={!local}
      icon="play"
      iconSize={28}
    >
      {local && (
        <Film class="video-player" url={local.url} label={`${say.video}: ${legible(file.name)}`} tab={tab} onBroken={() => setBroken(true)} />
      )}
    </Frame>
  );
}

interface FilmProps {
  class: string;
  url: string;
  label: string;
  tab?: number;
  onBroken: () => void;
}

/** A video with what the browser has to steer it. A sound pauses for it, and it for a sound. */
export function Film({ url, label, tab, onBroken, ...rest }: FilmProps) {
  const video = useRef<HTMLVideoElement>(null);
  useSignalEffect(() => {
    if (playback.plays.value) video.current?.pause();
  });
  return (
    <video
      ref={video}
      class={rest.class}
      src={url}
      controls
      playsInline
      preload="metadata"
      tabIndex={tab}
      aria-label={label}
      onPlay={playback.pause}
      onError={onBroken}
    />
  );
}
