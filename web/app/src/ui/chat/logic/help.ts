// What helps when a message cannot be read.

import type { Undecryptable } from "../../../core/types";

/** New sessions, a decision about a device, or nothing that could be done here. */
export type Help = "repair" | "devices" | null;

export function helps(why: Undecryptable): Help {
  switch (why) {
    case "noSession":
    case "unknownKey":
    case "tooFarAhead":
      return "repair";
    case "distrusted":
      return "devices";
    default:
      return null;
  }
}
