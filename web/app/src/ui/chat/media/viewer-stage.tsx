// A picture as large as the screen.

import { useEffect, useRef, useState } from "preact/hooks";

import { fill, straight, words } from "../../../i18n";
import { IconButton, Spinner, still, touch } from "../../kit";
import { legible, typeOf } from "../logic/files";
import type { Chat } from "../state";
import { Progress } from "./progress";
import { useTransfer } from "./transfer";
import { useLocal } from "./urls";
import { Problem, type Filed } from "./viewer-parts";

const MOST = 8;

interface Look {
  scale: number;
  x: number;
  y: number;
}

const WHOLE: Look = { scale: 1, x: 0, y: 0 };

/** A picture that can be made larger and moved; a swipe of the whole one goes on or closes. */
export function Stage(props: { chat: Chat; message: Filed; onStep: (by: number) => void; onClose: () => void }) {
  const { chat, message, onStep, onClose } = props;
  const { file } = message.content;
  const local = useLocal(chat.store.core, file.local, typeOf(file));
  const transfer = useTransfer(chat, message, file);
  const [look, setLook] = useState(WHOLE);
  const [broken, setBroken] = useState(false);
  const pointers = useRef(new Map<number, { x: number; y: number }>());
  const from = useRef<{ x: number; y: number; look: Look; apart: number } | null>(null);
  const say = words().chat;

  const begin = () => {
    const all = [...pointers.current.values()];
    const [a, b] = all;
    if (!a) return;
    const middle = b ? { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } : a;
    from.current = { ...middle, look, apart: b ? Math.hypot(a.x - b.x, a.y - b.y) : 0 };
  };
  const move = () => {
    const start = from.current;
    const [a, b] = [...pointers.current.values()];
    if (!start || !a) return;
    const middle = b ? { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } : a;
    const grown = b && start.apart > 0 ? Math.hypot(a.x - b.x, a.y - b.y) / start.apart : 1;
    const scale = Math.min(MOST, Math.max(1, start.look.scale * grown));
    setLook({ scale, x: start.look.x + middle.x - start.x, y: start.look.y + middle.y - start.y });
  };
  const end = (event: PointerEvent) => {
    const last = pointers.current.size === 1 ? from.current : null;
    pointers.current.delete(event.pointerId);
    if (pointers.current.size > 0) return begin();
    if (last && last.look.scale === 1 && look.scale === 1) {
      const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
      const towards = document.documentElement.dir === "rtl" ? -1 : 1;
      if (Math.abs(dx) > 60 && Math.abs(dx) > Math.abs(dy)) onStep(dx * towards < 0 ? 1 : -1);
      else if (event.pointerType === "touch" && dy > 110) onClose();
      setLook(WHOLE);
    } else if (look.scale <= 1.02) setLook(WHOLE);
    from.current = null;
  };
  const zoom = (factor: number) =>
    setLook((now) => {
      const scale = Math.min(MOST, Math.max(1, now.scale * factor));
      return scale === 1 ? WHOLE : { scale, x: now.x * (scale / now.scale), y: now.y * (scale / now.scale) };
    });
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.key === "+" || event.key === "=") zoom(1.5);
      else if (event.key === "-") zoom(1 / 1.5);
      else if (event.key === "0") setLook(WHOLE);
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  return (
    <div
      class={look.scale > 1 ? "viewer-stage viewer-stage-moves" : "viewer-stage"}
      onWheel={(event) => {
        event.preventDefault();
        zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2);
      }}
      onDblClick={() => (look.scale > 1 ? setLook(WHOLE) : zoom(2.5))}
      onPointerDown={(event) => {
        if ((event.target as Element).closest("button")) return;
        pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
        event.currentTarget.setPointerCapture(event.pointerId);
        begin();
      }}
      onPointerMove={(event) => {
        if (!pointers.current.has(event.pointerId)) return;
        pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
        move();
      }}
      onPointerUp={end}
      onPointerCancel={end}
    >
      {transfer.busy ? (
        <Progress chat={chat} message={message} file={file} done={transfer.done} tab={0} />
      ) : transfer.failed ? (
        <Problem text={fill(say.fetchFailed, { reason: transfer.failed })} again={() => void chat.fetch(message, true)} />
      ) : broken ? (
        <Problem text={say.broken} />
      ) : local === null ? (
        <Problem text={say.gone} {...(file.uploaded && { again: () => void chat.fetch(message, true) })} />
      ) : local ? (
        <img
          class={still.value ? "viewer-image" : "viewer-image viewer-image-glides"}
          src={local.url}
          alt={straight(file.picture?.description ?? legible(file.name))}
          draggable={false}
          onError={() => setBroken(true)}
          style={{ transform: `translate(${look.x}px, ${look.y}px) scale(${look.scale})` }}
        />
      ) : (
        <Spinner size={36} label={say.opening} />
      )}
      {local && !broken && !touch.value && (
        <div class="viewer-zoom">
          <IconButton icon="minus" label={say.viewerZoomOut} disabled={look.scale <= 1} onClick={() => zoom(1 / 1.5)} />
          <IconButton icon="plus" label={say.viewerZoomIn} disabled={look.scale >= MOST} onClick={() => zoom(1.5)} />
        </div>
      )}
    </div>
  );
}
