// What stands behind the messages: a colour or a pattern by its name. Nothing of it is fetched.

/** All there are; the first is the ground of the app. */
export const WALLPAPERS = ["plain", "rose", "meadow", "sea", "dusk", "dots", "lines"] as const;

export type Wallpaper = (typeof WALLPAPERS)[number];

export function isWallpaper(value: unknown): value is Wallpaper {
  return WALLPAPERS.some((one) => one === value);
}

/** What stands behind the messages of a chat: its own, or that of all. A later version may have known others. */
export function behind(own: string | null, all: Wallpaper): Wallpaper {
  return isWallpaper(own) ? own : all;
}
