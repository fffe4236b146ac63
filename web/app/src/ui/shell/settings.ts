// What somebody chose for this browser. It is kept apart from the account's store, because it has to
// be there before anything is drawn.

import { effect, signal } from "@preact/signals";

import { language, NAMES, preferred, speak } from "../../i18n";
import { forgetShared } from "../../share";
import { dropUnsent } from "../../unsent";
import { isWallpaper, type Wallpaper } from "../chat/logic/wallpaper";
import { NOTES } from "../../woken";
import { forgetTone } from "../chat/emoji/tone";

export interface Settings {
  theme: "system" | "light" | "dark";
  text: "small" | "normal" | "large" | "largest";
  /** A tag, or the system's. */
  language: string;
  /** Notifications while the page is open. */
  notify: boolean;
  /** They show what was written. */
  notifyText: boolean;
  sound: boolean;
  /** The question about notifications was answered with "not now". */
  notifyAsked: boolean;
  /** Enter sends; otherwise it makes a new line, and Ctrl-Enter sends. */
  enterSends: boolean;
  /** Keys that are pressed alone, without Ctrl or Alt, do something in the whole page. */
  plainKeys: boolean;
  /** Own messages stand on the side of the others'. */
  oneSide: boolean;
  /** What stands behind the messages of chats that have nothing of their own. */
  wallpaper: Wallpaper;
  /** Where small pictures and sounds come by themselves. "unmetered" is on a network that is known not to be a
   * mobile one, unless the browser is to be sparing. */
  fetch: "always" | "unmetered" | "never";
}

const KEY = "clownfish:settings";

const DEFAULTS: Settings = {
  theme: "system",
  text: "normal",
  language: "system",
  notify: true,
  notifyText: true,
  sound: true,
  notifyAsked: false,
  enterSends: true,
  plainKeys: true,
  oneSide: false,
  wallpaper: "plain",
  fetch: "always",
};

export const settings = signal<Settings>(read(stored()));

/** Changes some of them, for good. */
export function change(some: Partial<Settings>): void {
  settings.value = { ...settings.value, ...some };
  try {
    localStorage.setItem(KEY, JSON.stringify(settings.value));
  } catch {
    // Nothing can be kept here; the choice holds until the page is left.
  }
}

/** Forgets all of them, and whatever else the page keeps outside of the account's store. */
export async function forget(): Promise<void> {
  settings.value = DEFAULTS;
  forgetTone();
  dropUnsent();
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith("clownfish"));
    for (const key of keys) localStorage.removeItem(key);
    await caches.delete(NOTES);
    await forgetShared();
  } catch {
    // Nothing was kept.
  }
}

/** Settings from what was stored: whatever is unknown or wrong there is as if it were not there. */
export function read(text: string | null): Settings {
  const made: Settings = { ...DEFAULTS };
  let found: unknown;
  try {
    found = JSON.parse(text ?? "");
  } catch {
    return made;
  }
  if (typeof found !== "object" || found === null) return made;
  const old = found as Record<string, unknown>;
  for (const key of ["notify", "notifyText", "sound", "notifyAsked", "enterSends", "plainKeys", "oneSide"] as const) {
    if (typeof old[key] === "boolean") made[key] = old[key];
  }
  if (old["theme"] === "light" || old["theme"] === "dark") made.theme = old["theme"];
  if (old["text"] === "small" || old["text"] === "large" || old["text"] === "largest") made.text = old["text"];
  if (isWallpaper(old["wallpaper"])) made.wallpaper = old["wallpaper"];
  if (old["fetch"] === "unmetered" || old["fetch"] === "never") made.fetch = old["fetch"];
  if (typeof old["language"] === "string" && old["language"] in NAMES) made.language = old["language"];
  return made;
}

/** The ground of the app; also in index.html. */
const GROUND = { light: "#fffaf6", dark: "#171311" } as const;

/** Languages that are written from right to left. */
const FROM_RIGHT = new Set(["ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"]);

/** Puts them into effect, now and whenever they change; ends when the words to start with are here. */
export async function apply(): Promise<void> {
  const root = document.documentElement;
  effect(() => {
    const { theme, text, oneSide } = settings.value;
    if (theme === "system") delete root.dataset["theme"];
    else root.dataset["theme"] = theme;
    root.dataset["text"] = text;
    root.dataset["sides"] = oneSide ? "one" : "two";
    // The bars of the system around the page: as the theme, not as the system.
    for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
      const system = meta.media.includes("dark") ? "dark" : "light";
      meta.content = GROUND[theme === "system" ? system : theme];
    }
  });
  effect(() => {
    root.lang = language.value;
    root.dir = FROM_RIGHT.has(language.value) ? "rtl" : "ltr";
  });
  let first: Promise<void> | undefined;
  effect(() => {
    const chosen = settings.value.language;
    const speaking = speak(chosen === "system" ? preferred() : chosen);
    first ??= speaking;
  });
  await first;
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
