import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { colours, hsluvToRgb, hue } from "../src/ui/kit/colour";
import { sha1 } from "../src/ui/kit/sha1";

test("colours are those of XEP-0392 §12.1", () => {
  const vectors: [string, number, [number, number, number]][] = [
    ["Romeo", 327.255249, [0.865, 0.0, 0.686]],
    ["juliet@capulet.lit", 209.4104, [0.0, 0.515, 0.573]],
    ["😺", 331.199341, [0.872, 0.0, 0.659]],
    ["council", 359.994507, [0.918, 0.0, 0.394]],
    ["Board", 171.430664, [0.0, 0.527, 0.457]],
  ];
  for (const [text, angle, rgb] of vectors) {
    assert.ok(Math.abs(hue(text) - angle) < 1e-6, `${text}: ${hue(text)}`);
    hsluvToRgb(angle, 100, 50).forEach((part, at) => {
      assert.ok(Math.abs(part - (rgb[at] ?? NaN)) < 0.001, `${text}: ${part} is not ${rgb[at]}`);
    });
  }
});

test("the hash is that of others, at every length around a block", () => {
  for (let length = 0; length < 200; length++) {
    const bytes = new Uint8Array(length).map((_, at) => at * 7 + length);
    assert.equal(Buffer.from(sha1(bytes)).toString("hex"), createHash("sha1").update(bytes).digest("hex"));
  }
});

test("names and initials can be read on their grounds", () => {
  const surfaces = { light: [255, 253, 251], dark: [27, 24, 22] };
  for (let i = 0; i < 360; i++) {
    const made = colours(`somebody-${i}@verona.example`);
    const [ground, letters, name] = [made.ground, made.letters, made.name].map(parts);
    assert.ok(ground && letters && name);
    for (const side of ["light", "dark"] as const) {
      assert.ok(contrast(letters[side], ground[side]) >= 4.5, `initials ${i} ${side}`);
      assert.ok(contrast(name[side], surfaces[side]) >= 4.5, `name ${i} ${side}`);
    }
  }
});

/** Both sides of `light-dark(rgb(…), rgb(…))`. */
function parts(css: string): { light: number[]; dark: number[] } {
  const [light = [], dark = []] = [...css.matchAll(/rgb\(([^)]*)\)/g)].map((one) => (one[1] ?? "").split(" ").map(Number));
  return { light, dark };
}

/** WCAG 2.2, "contrast ratio". */
function contrast(a: number[], b: number[]): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

function luminance(rgb: number[]): number {
  const [r = 0, g = 0, b = 0] = rgb.map((part) => {
    const value = part / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
