// Texts that are too long for where they stand.

/** No more of a text than this; what is one sign for who reads is not cut through. */
export function cutAt(text: string, most: number): string {
  if (text.length <= most) return text;
  let end = 0;
  for (const { index, segment } of new Intl.Segmenter().segment(text.slice(0, most + LONGEST_SIGN))) {
    if (index + segment.length > most) break;
    end = index + segment.length;
  }
  // What claims to be one endless sign is cut anyway, but not within a character.
  return end > 0 ? text.slice(0, end) : text.slice(0, most).replace(/[\uD800-\uDBFF]$/, "");
}

/** A family with tones of skin is not longer. */
const LONGEST_SIGN = 64;
