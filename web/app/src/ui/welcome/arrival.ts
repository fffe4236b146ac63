// An invitation, or a link into a group, that opened the page. It is taken out of the address bar at once: it is good
// once, or for a while, and is nobody's business in the history of the browser.

import { signal } from "@preact/signals";

import { go } from "../../route";
import { parseEnter, parseFragment, type Invitation, type RoomLink } from "../people/links";

/** The invitation that led here, until it is used. */
export const arrived = signal<Invitation | null>(null);

/** The link into a group that led here, until it is followed: who has no account signs in first. */
export const led = signal<RoomLink | null>(null);

function take(): void {
  const group = parseEnter(location.hash);
  if (group) {
    led.value = group;
    return go({ at: "join", address: group.address, link: group }, true);
  }
  const found = parseFragment(location.hash);
  if (!found) return;
  arrived.value = { ...found, server: found.server ?? location.hostname };
  // Somebody who has an account already is asked what to do with it.
  go({ at: "add" }, true);
}

take();
addEventListener("hashchange", take);
