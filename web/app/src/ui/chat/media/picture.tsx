// A picture in a bubble.

import { useState } from "preact/hooks";

import { fill, straight, words } from "../../../i18n";
import { box, legible, typeOf } from "../logic/files";
import { sizeOf, type FileProps } from "./file";
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
  if (broken || local === null) return <Unshown icon="image" gone={local === null} />;
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
    </Frame>
  );
}
