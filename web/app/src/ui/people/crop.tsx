import { useSignal } from "@preact/signals";
import { useEffect, useId, useRef } from "preact/hooks";

import { words } from "../../i18n";
import { Button, Dialog, toast } from "../kit";
import { cutOut, middle, moved, type Square } from "./picture";
import "./crop.css";

export interface CropProps {
  picture: ImageBitmap;
  onUse: (png: Blob) => void;
  onClose: () => void;
}

/** Pixels of the stage on a side; its size on the screen follows the style. */
const STAGE = 640;
/** Part of the square that an arrow key moves it by. */
const STEP = 0.04;

/** Cuts a square out of a picture: by dragging, by two fingers, by wheel, by arrow keys. */
export function Crop({ picture, onUse, onClose }: CropProps) {
  const w = words().people.crop;
  const zoomId = useId();
  const canvas = useRef<HTMLCanvasElement>(null);
  const square = useSignal(middle(picture.width, picture.height));
  const busy = useSignal(false);
  const fingers = useRef(new Map<number, { x: number; y: number }>());
  const { width, height } = picture;
  const largest = Math.min(width, height);
  const change = (by: Parameters<typeof moved>[1]) => {
    square.value = moved(square.peek(), by, width, height);
  };
  const now = square.value;
  useEffect(() => draw(canvas.current, picture, now), [picture, now]);
  const onMove = (event: PointerEvent) => {
    const known = fingers.current;
    const before = known.get(event.pointerId);
    if (!before || !canvas.current) return;
    const after = { x: event.clientX, y: event.clientY };
    const others = [...known.entries()].filter(([id]) => id !== event.pointerId);
    const other = others[0]?.[1];
    known.set(event.pointerId, after);
    const scale = square.peek().side / canvas.current.clientWidth;
    if (other) {
      const ratio = apart(before, other) / Math.max(1, apart(after, other));
      change({ side: square.peek().side * ratio });
    } else {
      change({ x: (before.x - after.x) * scale, y: (before.y - after.y) * scale });
    }
  };
  const onKey = (event: KeyboardEvent) => {
    const step = now.side * STEP;
    const by = { ArrowLeft: { x: -step }, ArrowRight: { x: step }, ArrowUp: { y: -step }, ArrowDown: { y: step } }[event.key];
    if (!by) return;
    event.preventDefault();
    change(by);
  };
  const use = async () => {
    busy.value = true;
    const png = await cutOut(picture, square.peek());
    busy.value = false;
    if (png) onUse(png);
    else toast({ text: words().people.profile.notPicture, problem: true });
  };
  return (
    <Dialog
      title={w.title}
      onClose={onClose}
      actions={
        <>
          <Button kind="quiet" onClick={onClose}>
            {words().people.cancel}
          </Button>
          <Button kind="primary" busy={busy.value} onClick={() => void use()}>
            {w.use}
          </Button>
        </>
      }
    >
      <div class="crop">
        <div
          class="crop-stage"
          role="application"
          aria-label={w.stage}
          tabIndex={0}
          onKeyDown={onKey}
          onWheel={(event) => {
            event.preventDefault();
            change({ side: square.peek().side * (event.deltaY > 0 ? 1.06 : 1 / 1.06) });
          }}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            fingers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
          }}
          onPointerMove={onMove}
          onPointerUp={(event) => fingers.current.delete(event.pointerId)}
          onPointerCancel={(event) => fingers.current.delete(event.pointerId)}
        >
          <canvas ref={canvas} class="crop-canvas" width={STAGE} height={STAGE} />
          <span class="crop-mask" aria-hidden="true" />
        </div>
        <p class="crop-hint">{w.hint}</p>
        <label class="field-label" for={zoomId}>
          {w.zoom}
        </label>
        <input
          id={zoomId}
          class="crop-zoom"
          type="range"
          min={0}
          max={100}
          value={Math.round(100 * (1 - now.side / largest))}
          onInput={(event) => change({ side: largest * (1 - Number(event.currentTarget.value) / 100) })}
        />
      </div>
    </Dialog>
  );
}

function draw(canvas: HTMLCanvasElement | null, picture: ImageBitmap, { x, y, side }: Square): void {
  const context = canvas?.getContext("2d");
  if (!context) return;
  context.clearRect(0, 0, STAGE, STAGE);
  context.drawImage(picture, x, y, side, side, 0, 0, STAGE, STAGE);
}

function apart(a: { x: number; y: number }, b: { x: number; y: number }): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
