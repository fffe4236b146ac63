// The colour of the skin that emoji of people have. Kept in this browser, and wiped with the rest.

import { signal } from "@preact/signals";

const KEY = "clownfish:tone";

/** As it is, and the five of Unicode, which stand behind what they colour. */
export const TONES = ["", "\u{1F3FB}", "\u{1F3FC}", "\u{1F3FD}", "\u{1F3FE}", "\u{1F3FF}"] as const;

const tone = signal(stored());

/** The one that was chosen. Read while drawing. */
export function chosenTone(): string {
  return tone.value;
}

export function chooseTone(next: string): void {
  tone.value = next;
  try {
    if (next === "") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // Without storage there is no memory of it.
  }
}

/** Forgets the choice; what is kept of it goes with everything that is kept. */
export function forgetTone(): void {
  tone.value = "";
}

const PERSON = /\p{Emoji_Modifier_Base}\uFE0F?/gu;

/** An emoji in a colour, if it is of one person: families and couples have no such forms that all systems draw. */
export function toned(emoji: string, colour: string = tone.value): string {
  if (colour === "" || emoji.match(PERSON)?.length !== 1) return emoji;
  return emoji.replace(PERSON, (person) => person.replace("\uFE0F", "") + colour);
}

/** What two forms of the same emoji have in common. */
export function plainForm(emoji: string): string {
  return emoji.replace(/[\u{1F3FB}-\u{1F3FF}\uFE0F]/gu, "");
}

function stored(): string {
  try {
    return TONES.find((one) => one === localStorage.getItem(KEY)) ?? "";
  } catch {
    return "";
  }
}
