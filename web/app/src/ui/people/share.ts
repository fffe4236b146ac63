// Giving links to others: the clipboard, and the sheet of the system where there is one.

import { words } from "../../i18n";
import { toast } from "../kit";

export async function copy(text: string): Promise<void> {
  const w = words().people;
  try {
    await navigator.clipboard.writeText(text);
    toast(w.copied);
  } catch {
    toast({ text: w.copyRefused, problem: true });
  }
}

/** Whether the system has a sheet for sharing. */
export function canShare(): boolean {
  return "share" in navigator;
}

/** Shares a text, or copies it where nothing can be shared. */
export async function shareText(text: string, url?: string): Promise<void> {
  if (!canShare()) return copy(url ?? text);
  // Somebody who closes the sheet has not failed.
  await navigator.share({ text, ...(url === undefined ? {} : { url }) }).catch(() => undefined);
}
