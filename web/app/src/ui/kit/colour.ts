// XEP-0392: Consistent Color Generation 1.0.1. A person has the same hue in every client. Hues become
// colours through HSLuv, which keeps the brightness the same for all of them.

import { sha1 } from "./sha1";

export type Rgb = [number, number, number];
type Row = readonly [number, number, number];

/** The hue of a text, in degrees (XEP-0392 §5.1). */
export function hue(text: string): number {
  const [low = 0, high = 0] = sha1(new TextEncoder().encode(text));
  return ((low + high * 256) / 65536) * 360;
}

/** A colour of the HSLuv space as sRGB, each part from 0 to 1. */
export function hsluvToRgb(hue: number, saturation: number, lightness: number): Rgb {
  if (lightness > 99.999999) return [1, 1, 1];
  if (lightness < 1e-8) return [0, 0, 0];
  const chroma = (mostChroma(lightness, hue) / 100) * saturation;
  const angle = (hue / 180) * Math.PI;
  const u = (Math.cos(angle) * chroma) / (13 * lightness) + WHITE_U;
  const v = (Math.sin(angle) * chroma) / (13 * lightness) + WHITE_V;
  const y = luminance(lightness);
  const x = (y * 9 * u) / (4 * v);
  const z = (y * (12 - 3 * u - 20 * v)) / (4 * v);
  return XYZ_TO_RGB.map(([r, g, b]) => {
    const linear = r * x + g * y + b * z;
    return Math.min(1, Math.max(0, gamma(linear)));
  }) as Rgb;
}

/** The ground and the letters of a person's picture, for both themes. */
export interface Colours {
  ground: string;
  letters: string;
  /** Their name, as text on a surface. */
  name: string;
}

const known = new Map<string, Colours>();

/** The colours of a person, by their address. */
export function colours(address: string): Colours {
  const found = known.get(address);
  if (found) return found;
  const angle = hue(address);
  const made: Colours = {
    ground: `light-dark(${css(angle, 75, 88)}, ${css(angle, 60, 27)})`,
    letters: `light-dark(${css(angle, 100, 33)}, ${css(angle, 80, 84)})`,
    name: `light-dark(${css(angle, 100, 42)}, ${css(angle, 90, 74)})`,
  };
  if (known.size >= 2048) known.clear();
  known.set(address, made);
  return made;
}

function css(hue: number, saturation: number, lightness: number): string {
  const parts = hsluvToRgb(hue, saturation, lightness).map((part) => Math.round(part * 255));
  return `rgb(${parts.join(" ")})`;
}

/** The largest chroma that sRGB has for a lightness and a hue: where the ray of the hue leaves the
 * triangle of the possible colours. */
function mostChroma(lightness: number, hue: number): number {
  const angle = (hue / 180) * Math.PI;
  const cube = (lightness + 16) ** 3 / 1560896;
  const scale = cube > EPSILON ? cube : lightness / KAPPA;
  let most = Infinity;
  for (const [m1, m2, m3] of XYZ_TO_RGB) {
    for (const limit of [0, 1]) {
      const top1 = (284517 * m1 - 94839 * m3) * scale;
      const top2 =
        (838422 * m3 + 769860 * m2 + 731718 * m1) * lightness * scale - 769860 * limit * lightness;
      const bottom = (632260 * m3 - 126452 * m2) * scale + 126452 * limit;
      const length = top2 / bottom / (Math.sin(angle) - (top1 / bottom) * Math.cos(angle));
      if (length >= 0) most = Math.min(most, length);
    }
  }
  return most;
}

function luminance(lightness: number): number {
  return lightness <= 8 ? lightness / KAPPA : ((lightness + 16) / 116) ** 3;
}

function gamma(linear: number): number {
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
}

/** CIE constants and the white point D65 in u′v′. */
const KAPPA = 903.2962963;
const EPSILON = 0.0088564517;
const WHITE_U = 0.1978300066;
const WHITE_V = 0.4683199949;

/** The matrix of sRGB. */
const XYZ_TO_RGB: readonly [Row, Row, Row] = [
  [3.240969942, -1.537383178, -0.49861076],
  [-0.969243636, 1.875967502, 0.041555057],
  [0.05563008, -0.203976959, 1.056971514],
];
