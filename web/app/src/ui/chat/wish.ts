// What another part of the page wants a conversation to show.

import { signal } from "@preact/signals";

import { go } from "../../route";
import { phone } from "../kit";

/** The conversation whose pictures and files are wanted. */
export const galleryOf = signal<string | null>(null);

/** Shows the pictures and files of a conversation. */
export function showGallery(address: string): void {
  galleryOf.value = address;
  // Elsewhere the conversation stands beside what asks for it.
  if (phone.peek()) go({ at: "chat", address, message: null }, true);
}
