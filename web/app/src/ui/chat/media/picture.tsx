// A picture in a bubble. Its place has its size before it is there, so that nothing moves.

import { useState } from "preact/hooks";

import { fill, words } from "../../../i18n";
import { Icon } from "../../kit";
import { box, legible, typeOf } from "../logic/files";
import { sizeOf, type FileProps } from "./file";
import { Progress } from "./progress";
import { Thumbnail } from "./thumbnail";
import { useTransfer } from "./transfer";
import { useLocal } from "./urls";

/** The sides of pictures that were shown, so that they get the same place the next time. */
const sides = new Map<string, { width: number; height: number }>();
const MOST_SIDES = 5_000;

/** Pixels a picture may be wide. */
export function room(): number {
  return Math.min(330, innerWidth * 0.72);
}

export function PictureView({ chat, message, file, tab }: FileProps) {
  const say = words().chat;
  const transfer = useTransfer(chat, message, file);
  const local = useLocal(chat.store.core, file.local, typeOf(file));
  const [known, setKnown] = useState(() => sides.get(file.local ?? ""));
  const [broken, setBroken] = useState(false);
  const told = known ?? file.picture;
  const { width, height } = box(told?.width ?? 0, told?.height ?? 0, room());
  const name = legible(file.name);
  const says = transfer.failed
    ? fill(say.fetchFailed, { reason: transfer.failed })
    : fill(say.fetchSize, { size: sizeOf(file) });
  if (broken || local === null) {
    return (
      <p class="bubble-text bubble-quiet">
        <Icon name="image" size={18} /> {local === null ? say.gone : say.broken}
      </p>
    );
  }
  return (
    <div class="picture" style={{ width: `${width}px`, aspectRatio: `${width} / ${height}` }}>
      {!known && <Thumbnail uri={file.picture?.thumbnail} />}
      {local && (
        <button
          type="button"
          class="picture-open"
          tabIndex={tab}
          aria-label={fill(say.viewPicture, { name })}
          onClick={() => (chat.sheet.value = { is: "viewer", message: message.id })}
        >
          <img
            class={known ? "picture-image picture-ready" : "picture-image"}
            src={local.url}
            alt=""
            decoding="async"
            draggable={false}
            onLoad={(event) => {
              const { naturalWidth, naturalHeight } = event.currentTarget;
              const found = { width: naturalWidth, height: naturalHeight };
              if (file.local !== null && sides.size < MOST_SIDES) sides.set(file.local, found);
              setKnown(found);
            }}
            onError={() => setBroken(true)}
          />
        </button>
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
            <Icon name={transfer.failed ? "retry" : "download"} size={24} />
            <span>{says}</span>
          </button>
        )
      )}
    </div>
  );
}
