// The one notification of the service worker, which the page replaces by its own, or takes away when it
// is looked at.

/** Names it. No address of a conversation is like this. */
export const WOKEN_TAG = "clownfish woken";
