import { useEffect } from "preact/hooks";

import { openOver } from "../route";
import { phone } from "./kit";

/** Something is open in a place, as long as `open`: Esc closes it first, and on a phone so does going back. */
export function useStep(open: boolean, close: () => void): void {
  useEffect(() => (open ? openOver(close, phone.peek() ? "step" : "here") : undefined), [open]);
}
