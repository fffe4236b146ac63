/** The first letters of the first and the last word of a name, or none if it has no letters. */
export function initials(name: string): string | null {
  const words = name
    .normalize("NFC")
    .split(/[\s._\-@]+/u)
    .map(first)
    .filter((letter) => letter !== null);
  const [start] = words;
  const end = words.length > 1 ? words[words.length - 1] : undefined;
  if (start === undefined) return null;
  return (start + (end ?? "")).toLocaleUpperCase();
}

/** The first letter or number of a word, with no more than one mark on it. */
function first(word: string): string | null {
  return /[\p{L}\p{N}]\p{M}?/u.exec(word)?.[0] ?? null;
}
