// Whether a text is nothing but a few emoji, which are then drawn large.

const PICTURE = /\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F|[0-9#*]\uFE0F?\u20E3/u;
/** Characters that an emoji consists of, besides the one that makes it a picture. */
const PARTS =
  /^(?:\p{Extended_Pictographic}|\p{Emoji_Presentation}|\p{Emoji_Modifier}|\p{Regional_Indicator}|[\u{E0020}-\u{E007F}]|[0-9#*](?=\uFE0F?\u20E3)|[\uFE0F\u200D\u20E3\u2640\u2642\u2695\u26A7])+$/u;

/** More than so many are a text like any other. */
export const MOST = 6;

let segmenter: Intl.Segmenter | undefined;

function graphemes(text: string): string[] {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  const found: string[] = [];
  for (const { segment } of segmenter.segment(text)) {
    found.push(segment);
    if (found.length > MOST * 2) break;
  }
  return found;
}

/** How many emoji a text consists of; 0 if there is anything else in it, or too many. */
export function onlyEmoji(text: string): number {
  if (text.length === 0 || text.length > MOST * 24) return 0;
  let count = 0;
  for (const one of graphemes(text)) {
    if (/^\s+$/u.test(one)) continue;
    if (!PICTURE.test(one) || !PARTS.test(one)) return 0;
    count++;
  }
  return count <= MOST ? count : 0;
}

/** Whether a text is exactly one emoji, as a reaction has to be. */
export function isEmoji(text: string): boolean {
  return onlyEmoji(text) === 1 && graphemes(text).length === 1;
}
