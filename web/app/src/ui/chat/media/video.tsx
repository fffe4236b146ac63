import { useState } from "preact/hooks";

import { fill, words } from "../../../i18n";
import { Icon } from "../../kit";
import { box, legible, typeOf } from "../logic/files";
import { sizeOf, type FileProps } from "./file";
import { room } from "./picture";
import { Progress } from "./progress";
import { Thumbnail } from "./thumbnail";
import { useTransfer } from "./transfer";
import { useLocal } from "./urls";

/** A video, which comes only when it is asked for. */
export function VideoView({ chat, message, file, tab }: FileProps) {
  const say = words().chat;
  const transfer = useTransfer(chat, message, file);
  const local = useLocal(chat.store.core, file.local, typeOf(file));
  const [broken, setBroken] = useState(false);
  const { width, height } = box(file.picture?.width || 16, file.picture?.height || 9, room());
  const name = legible(file.name);
  const says = transfer.failed ? fill(say.fetchFailed, { reason: transfer.failed }) : `${say.video} · ${sizeOf(file)}`;
  if (broken || local === null) {
    return (
      <p class="bubble-text bubble-quiet">
        <Icon name="play" size={18} /> {local === null ? say.gone : say.broken}
      </p>
    );
  }
  return (
    <div class="picture video no-swipe" style={{ width: `${Math.max(width, room())}px`, aspectRatio: `${width} / ${height}` }}>
      {!local && <Thumbnail uri={file.picture?.thumbnail} />}
      {local && (
        <video
          class="video-player"
          src={local.url}
          controls
          playsInline
          preload="metadata"
          tabIndex={tab}
          aria-label={`${say.video}: ${name}`}
          onError={() => setBroken(true)}
        />
      )}
      {transfer.busy ? (
        <div class="picture-over">
          <Progress chat={chat} message={message} file={file} done={transfer.done} tab={tab} />
        </div>
      ) : (
        file.local === null && (
          <button
            type="button"
            class="picture-fetch"
            tabIndex={tab}
            aria-label={`${says}: ${name}`}
            onClick={() => void chat.fetch(message)}
          >
            <Icon name={transfer.failed ? "retry" : "play"} size={28} />
            <span>{says}</span>
          </button>
        )
      )}
    </div>
  );
}
