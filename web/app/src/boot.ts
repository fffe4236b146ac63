// What runs first: the core starts here, before the rest of the page is read, because it takes the
// longest.

import { startCore } from "./core/client";

/** The core of this tab. */
export const host = startCore();
