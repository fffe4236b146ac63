// Who writes in a conversation now. What was on its way when it failed may have been written elsewhere: in
// another view of it, or in a notification.

import type { Composer } from "./state";

export const writing = new Map<string, Composer>();
