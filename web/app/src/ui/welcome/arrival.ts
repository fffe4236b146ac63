// An invitation that opened the page. It is taken out of the address bar at once: it is good once, and
// is nobody's business in the history of the browser.

import { signal } from "@preact/signals";

import { go } from "../../route";
import { parseFragment, type Invitation } from "../people/links";

/** The invitation that led here, until it is used. */
export const arrived = signal<Invitation | null>(null);

function take(): void {
  const found = parseFragment(location.hash);
  if (!found) return;
  arrived.value = { ...found, server: found.server ?? location.hostname };
  // Somebody who has an account already is asked what to do with it.
  go({ at: "add" }, true);
}

take();
addEventListener("hashchange", take);
