// Which chats the list shows.

import { signal } from "@preact/signals";

export type Filter = "all" | "unread" | "groups" | "muted" | "hidden";

/** What the list shows as long as it is on screen. */
export const filter = signal<Filter>("all");
