// A video, which comes only when it is asked for.

import { useState } from "preact/hooks";

import { fill, words } from "../../../i18n";
import { box, legible, typeOf } from "../logic/files";
import { sizeOf, type FileProps } from "./file";
import { Frame, Unshown } from "./frame";
import { room } from "./picture";
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
        <video
          class="video-player"
          src={local.url}
          controls
          playsInline
          preload="metadata"
          tabIndex={tab}
          aria-label={`${say.video}: ${legible(file.name)}`}
          onError={() => setBroken(true)}
        />
      )}
    </Frame>
  );
}
