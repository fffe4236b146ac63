// The first of the pictures that move: nothing plays for ever beside what is read. Pressed, it moves.

import { useEffect, useRef } from "preact/hooks";

/** Pixels of a side that are drawn at most: twice what a bubble shows. */
const LARGEST = 720;

export interface FirstFrameProps {
  blob: Blob;
  class: string;
  onReady: (sides: { width: number; height: number }) => void;
  onBroken: () => void;
}

export function FirstFrame({ blob, onReady, onBroken, ...rest }: FirstFrameProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let wanted = true;
    void createImageBitmap(blob).then(
      (frame) => {
        if (wanted && canvas.current) {
          const { width, height } = frame;
          draw(canvas.current, frame);
          onReady({ width, height });
        }
        frame.close();
      },
      () => wanted && onBroken(),
    );
    return () => {
      wanted = false;
    };
  }, [blob]);
  return <canvas ref={canvas} class={rest.class} aria-hidden="true" />;
}

function draw(canvas: HTMLCanvasElement, frame: ImageBitmap): void {
  const scale = Math.min(1, LARGEST / Math.max(frame.width, frame.height));
  canvas.width = Math.max(1, Math.round(frame.width * scale));
  canvas.height = Math.max(1, Math.round(frame.height * scale));
  canvas.getContext("2d")?.drawImage(frame, 0, 0, canvas.width, canvas.height);
}
