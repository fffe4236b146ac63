// The page: what was chosen for it, the core, and everything on the screen.

import { render } from "preact";

import { startCore } from "./core/client";
import { Store } from "./state/store";
import { StoreContext } from "./state/use";
import { App } from "./ui/app";
import { startKeys } from "./ui/shell/keys";
import { startNotifying } from "./ui/shell/notify";
import { startPush } from "./ui/shell/push";
import { apply } from "./ui/shell/settings";
import { startClock } from "./ui/shell/time";
import { startUpdates } from "./update";

// The core starts first: it takes the longest.
const host = startCore();
const store = new Store(host);
await apply();
startClock();
startKeys(store);
startNotifying(store);
startPush(store);
render(
  <StoreContext.Provider value={store}>
    <App host={host} />
  </StoreContext.Provider>,
  document.getElementById("app") ?? document.body,
);

const active = () => void store.ask({ do: "setActive", active: document.visibilityState === "visible" });
document.addEventListener("visibilitychange", active);
active();

// Without a service worker the page only has no start without a network.
startUpdates().catch(() => undefined);
