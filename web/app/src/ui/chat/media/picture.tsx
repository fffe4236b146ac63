// A picture in a bubble.

import { useState } from "preact/hooks";

import { fill, straight, words } from "../../../i18n";
import { still } from "../../kit";
import { box, legible, moves, typeOf } from "../logic/files";
import { sizeOf, type FileProps } from "./file";
import { FirstFrame } from "./first-frame";
import { Frame, Unshown } from "./frame";
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
  const place = box(told?.width ?? 0, told?.height ?? 0, room());
  const says = transfer.failed
    ? fill(say.fetchFailed, { reason: transfer.failed })
    : fill(say.fetchSize, { size: sizeOf(file) });
  const classes = known ? "picture-image picture-ready" : "picture-image";
  const onSides = (found: { width: number; height: number }) => {
    if (file.local !== null && sides.size < MOST_SIDES) sides.set(file.local, found);
    setKnown(found);
  };
  if (broken || local === null) return <Unshown {...{ chat, message, file, tab, transfer }} icon="image" gone={local === null} />;
  return (
    <Frame
      {...{ chat, message, file, tab, transfer, says }}
      width={place.width}
      sides={place}
      blurred={!known}
      icon="download"
      iconSize={24}
    >
      {local && (
        <button
          type="button"
          class="picture-open"
          tabIndex={tab}
          aria-label={fill(say.viewPicture, { name: file.picture?.description ?? legible(file.name) })}
          title={straight(file.picture?.description ?? "") || undefined}
          onClick={() => (chat.view(message.id))}
        >
          {moves(typeOf(file), still.value) ? (
            <>
              <FirstFrame blob={local.blob} class={classes} onReady={onSides} onBroken={() => setBroken(true)} />
              {typeOf(file) === "image/gif" && (
                <span class="picture-moves" aria-hidden="true">
                  GIF
                </span>
              )}
            </>
          ) : (
            <img
              class={classes}
              src={local.url}
              alt=""
              decoding="async"
              draggable={false}
              onLoad={({ currentTarget: { naturalWidth: width, naturalHeight: height } }) => onSides({ width, height })}
              onError={() => setBroken(true)}
            />
          )}
        </button>
      )}
    </Frame>
  );
}
