// The page on the sample. What it shows is said behind the `?`:
//   many=1000 messages=100000 page=60 connection=waiting signedOut empty starting behind storage core=elsewhere|failed
//   clock update theme=dark|light dir=rtl lang=de text=large zoom=200 (text of the browser, in percent)

import { signal } from "@preact/signals";
import { render } from "preact";

import type { CoreHost, CoreState } from "../src/core/api";
import type { Connection, Notice } from "../src/core/types";
import { language, speak } from "../src/i18n";
import { Store } from "../src/state/store";
import { StoreContext } from "../src/state/use";
import { App } from "../src/ui/app";
import { startRefocusing } from "../src/ui/kit";
import { watchTheClock } from "../src/ui/shell/clock";
import { expectAccount, startExpecting } from "../src/ui/shell/expected";
import { startKeys } from "../src/ui/shell/keys";
import { startNotifying } from "../src/ui/shell/notify";
import { apply, change, type Settings } from "../src/ui/shell/settings";
import { startClock } from "../src/ui/shell/time";
import { startUpdates } from "../src/update";
import { Sample } from "./sample";

const asked = new URLSearchParams(location.search);

const CONNECTIONS: Record<string, Connection> = {
  offline: { is: "offline" },
  connecting: { is: "connecting" },
  catchingUp: { is: "catchingUp" },
  waiting: { is: "waiting", reason: "the server does not answer", until: Date.now() + 42_000 },
  refused: { is: "refused", reason: "the password was changed" },
};

const CORES: Record<string, CoreState> = {
  starting: { is: "starting" },
  elsewhere: { is: "elsewhere" },
  unsupported: { is: "failed", why: "unsupported", words: "no file storage for web pages" },
  load: { is: "failed", why: "load", words: "Failed to fetch" },
  altered: { is: "failed", why: "altered", words: "/assets/core.wasm is not the file that this version consists of" },
  busy: { is: "failed", why: "busy", words: "another window has the files" },
  storage: { is: "failed", why: "storage", words: "the disk is full" },
  damaged: { is: "failed", why: "damaged", words: "a row does not open with this account's key" },
  crashed: { is: "failed", why: "crashed", words: "unreachable executed" },
};

class Host extends Sample implements CoreHost {
  readonly state = signal<CoreState>(CORES[asked.get("core") ?? ""] ?? { is: "working" });

  useHere(): void {
    this.state.value = { is: "working" };
  }

  erase(): void {
    this.state.value = { is: "working" };
  }
}

const connection = CONNECTIONS[asked.get("connection") ?? ""];
const core = new Host({
  many: Number(asked.get("many") ?? 0),
  messages: Number(asked.get("messages") ?? 2000),
  page: Number(asked.get("page") ?? 60),
  signedOut: asked.has("signedOut"),
  empty: asked.has("empty"),
  starting: asked.has("starting"),
  behind: asked.has("behind"),
  storage: asked.has("storage"),
  ...(connection ? { connection } : {}),
});

await apply();
for (const name of ["theme", "text"] as const) {
  const value = asked.get(name);
  if (value) change({ [name]: value } as Partial<Settings>);
}
const zoom = asked.get("zoom");
if (zoom) document.documentElement.style.fontSize = `${zoom}%`;
await speak(asked.get("lang") ?? language.value);
const dir = asked.get("dir");
if (dir) document.documentElement.dir = dir;

expectAccount(!asked.has("signedOut"));
const store = new Store(core);
startExpecting(store);
startClock();
startKeys(store);
startRefocusing();
startNotifying(store, core);
if (asked.has("clock")) watchTheClock(store);
if (asked.has("update")) void startUpdates();
Object.assign(window, { store, speak, sample: core, tell: (notice: Notice) => core.tell(notice) });
render(
  <StoreContext.Provider value={store}>
    <App host={core} />
  </StoreContext.Provider>,
  document.body,
);
