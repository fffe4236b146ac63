// Pictures, sounds and codes for the sample, drawn when they are asked for.

import type { Squares } from "../src/core/api";
import { hue, hsluvToRgb } from "../src/ui/kit/colour";

/** A portrait that is no photograph of anybody: hills and a sun. */
export function picture(of: string, side = 192): Promise<Blob> {
  const canvas = new OffscreenCanvas(side, side);
  const draw = canvas.getContext("2d");
  if (!draw) return Promise.resolve(new Blob());
  const angle = hue(of);
  const sky = draw.createLinearGradient(0, 0, 0, side);
  sky.addColorStop(0, css(angle, 80, 70));
  sky.addColorStop(1, css(angle + 50, 90, 88));
  draw.fillStyle = sky;
  draw.fillRect(0, 0, side, side);
  disc(draw, side * (0.3 + (angle % 40) / 100), side * 0.4, side * 0.16, css(angle + 180, 90, 82));
  disc(draw, side * 0.15, side * 1.25, side * 0.7, css(angle + 20, 70, 45));
  disc(draw, side * 0.85, side * 1.3, side * 0.75, css(angle + 30, 75, 35));
  return canvas.convertToBlob({ type: "image/png" });
}

function disc(draw: OffscreenCanvasRenderingContext2D, x: number, y: number, r: number, colour: string) {
  draw.fillStyle = colour;
  draw.beginPath();
  draw.arc(x, y, r, 0, 2 * Math.PI);
  draw.fill();
}

function css(angle: number, saturation: number, lightness: number): string {
  const parts = hsluvToRgb(angle % 360, saturation, lightness).map((part) => Math.round(part * 255));
  return `rgb(${parts.join(" ")})`;
}

/** Four seconds of a tone that swells and fades, as WAV. */
export function sound(): Blob {
  const rate = 8000;
  const count = rate * 4;
  const bytes = new DataView(new ArrayBuffer(44 + count));
  const put = (at: number, word: string) => [...word].forEach((c, i) => bytes.setUint8(at + i, c.charCodeAt(0)));
  put(0, "RIFF");
  bytes.setUint32(4, 36 + count, true);
  put(8, "WAVEfmt ");
  bytes.setUint32(16, 16, true);
  bytes.setUint16(20, 1, true);
  bytes.setUint16(22, 1, true);
  bytes.setUint32(24, rate, true);
  bytes.setUint32(28, rate, true);
  bytes.setUint16(32, 1, true);
  bytes.setUint16(34, 8, true);
  put(36, "data");
  bytes.setUint32(40, count, true);
  for (let i = 0; i < count; i++) {
    const swell = Math.abs(Math.sin((i / count) * 9)) * Math.sin((i / count) * Math.PI);
    bytes.setUint8(44 + i, 128 + Math.round(100 * swell * Math.sin((i * 2 * Math.PI * 220) / rate)));
  }
  return new Blob([bytes.buffer], { type: "audio/wav" });
}

/** Something that looks like a QR code; no scanner reads it. */
export function squares(text: string): Squares {
  const size = 33;
  const dark = new Uint8Array(size * size);
  let state = 1 + text.length;
  for (let i = 0; i < dark.length; i++) {
    state = (state * 48271) % 2147483647;
    dark[i] = state & 1;
  }
  for (const [left, top] of [[0, 0], [size - 7, 0], [0, size - 7]] as const) {
    for (let y = -1; y < 8; y++) {
      for (let x = -1; x < 8; x++) {
        const [cx, cy] = [left + x, top + y];
        if (cx < 0 || cy < 0 || cx >= size || cy >= size) continue;
        const ring = Math.max(Math.abs(x - 3), Math.abs(y - 3));
        dark[cy * size + cx] = ring === 3 || ring <= 1 ? 1 : 0;
      }
    }
  }
  return { size, dark };
}
