// The page: what was chosen for it, the core, and everything on the screen.

import { render } from "preact";

import { host } from "./boot";
import { go, route } from "./route";
import { hasShared } from "./share";
import { Store } from "./state/store";
import { StoreContext } from "./state/use";
import { App } from "./ui/app";
import { startRefocusing, toast } from "./ui/kit";
import { loadFirst } from "./ui/later";
import { problemText } from "./ui/people/problem";
import { watchTheClock } from "./ui/shell/clock";
import { expectsAccount, startExpecting } from "./ui/shell/expected";
import { startLeaving } from "./ui/shell/leave";
import { startKeys } from "./ui/shell/keys";
import { startNotifying } from "./ui/shell/notify";
import { startPush } from "./ui/shell/push";
import { apply } from "./ui/shell/settings";
import { startClock } from "./ui/shell/time";
import { guardDrops } from "./ui/shell/drops";
import { guardUnsent } from "./unsent";
import { startUpdates } from "./update";

const store = new Store(host);
loadFirst(expectsAccount());
await apply();
startExpecting(store);
startLeaving(store, host);
store.onLate = (problem) => toast({ text: problemText(problem), problem: true });
startClock();
guardUnsent();
guardDrops();
startKeys(store);
startRefocusing();
startNotifying(store, host);
startPush(store);
watchTheClock(store);
render(
  <StoreContext.Provider value={store}>
    <App host={host} />
  </StoreContext.Provider>,
  document.getElementById("app") ?? document.body,
);

// What another app shared, and was not sent when the page was closed, is offered again.
void hasShared().then((there) => there && route.peek().at === "list" && expectsAccount() && go({ at: "share" }), () => undefined);

const active = () => void store.ask({ do: "setActive", active: document.visibilityState === "visible" });
document.addEventListener("visibilitychange", active);
active();

// Without a service worker the page only has no start without a network.
startUpdates().catch(() => undefined);
