// Fingerprints as people compare them.

import { hexOf } from "./links";

/** Groups of eight digits: short enough to be read out in one go. */
export function groups(fingerprint: string): string[] {
  return hexOf(fingerprint).match(/.{1,8}/gu) ?? [];
}

/** Whether two say the same, however they are written. */
export function sameFingerprint(a: string, b: string): boolean {
  return hexOf(a) !== "" && hexOf(a) === hexOf(b);
}
