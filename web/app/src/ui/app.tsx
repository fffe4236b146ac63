import type { ComponentChildren } from "preact";
import { useEffect, useErrorBoundary, useRef } from "preact/hooks";

import type { CoreHost } from "../core/api";
import { words } from "../i18n";
import { route, type Route } from "../route";
import { useStore } from "../state/use";
import { Beside, Overlays, phone } from "./kit";
import { AddContact, ChatView, ContactDetails, JoinRoom, loadMore, NewChannel, NewGroup, PlayerBar, Requests, SettingsIndex, SettingsPage, Share, Starred, Welcome } from "./later";
import { playing, silence } from "./chat/media/playback";
import { Bars } from "./shell/bars";
import { acceptLoss, expectsAccount, leavesNow, lostAccount } from "./shell/expected";
import { Help } from "./shell/help";
import { Jump } from "./shell/jump";
import { leaving } from "./shell/leave";
import { ListPane } from "./shell/list-pane";
import { NothingOpen } from "./shell/nothing-open";
import { Crashed, Elsewhere, Failed, Lost, Starting } from "./shell/states";
import { useTold } from "./shell/told";
import { entrance, isWelcome } from "./welcome/entering";
import "./app.css";

/** Everything on the screen. */
export function App({ host }: { host: CoreHost }) {
  const [error] = useErrorBoundary();
  if (error !== undefined && error !== null) return <Crashed error={error} />;
  return (
    <>
      <Screen host={host} />
      <Overlays />
    </>
  );
}

function Screen({ host }: { host: CoreHost }) {
  const store = useStore();
  const state = host.state.value;
  if (state.is === "failed") return <Failed why={state.why} reason={state.words} onErase={() => erase(host)} />;
  if (leaving.value) return <Starting />;
  if (state.is === "elsewhere") return expectsAccount() ? <Elsewhere onUseHere={() => host.useHere()} /> : <Welcome />;
  const account = store.account.value;
  if (!account && lostAccount()) return <Lost onSignIn={() => comeIn("signIn")} onInvitation={() => comeIn("invitation")} />;
  if (!account && (state.is === "starting" || account === undefined)) {
    return expectsAccount() ? <Starting /> : <Welcome />;
  }
  if (isWelcome(store)) return <Welcome />;
  return <Frame />;
}

function erase(host: CoreHost): void {
  leavesNow();
  host.erase();
}

function comeIn(by: "signIn" | "invitation"): void {
  entrance.value = by;
  acceptLoss();
}

/** The panes: one above the other on a phone, side by side elsewhere. */
function Frame() {
  const at = route.value;
  const told = useTold();
  const w = words().shell;
  const main = mainPane(at);
  const covered = phone.value && main !== null;
  useFocusInList(at.at === "list");
  useEffect(loadMore, []);
  // What plays is of this account.
  useEffect(() => silence, []);
  return (
    <div class={phone.value ? "app app-phone" : "app"}>
      <Bars />
      {playing.value && <PlayerBar />}
      <div class="panes">
        <div
          class="pane pane-list"
          inert={covered}
          role={phone.value ? "main" : "navigation"}
          aria-label={at.at === "settings" ? w.settings : w.conversations}
        >
          {at.at === "settings" ? <SettingsIndex /> : <ListPane />}
        </div>
        {(main !== null || !phone.value) && (
          <MainPane at={at}>{main ?? <NothingOpen />}</MainPane>
        )}
      </div>
      <p class="hidden-text" role="status" aria-live="polite" aria-label={w.news}>
        {told}
      </p>
      <Jump />
      <Help />
    </div>
  );
}

/** Back in the list, the line one came from has the focus, where nothing else took it. */
function useFocusInList(there: boolean): void {
  const first = useRef(true);
  useEffect(() => {
    if (!first.current && there && document.activeElement === document.body) {
      document.querySelector<HTMLElement>('.conversation[tabindex="0"]')?.focus({ preventScroll: true });
    }
    first.current = false;
  }, [there]);
}

/** What the route shows beside or above the list; nothing when that is the list itself. */
function mainPane(at: Route): ComponentChildren | null {
  switch (at.at) {
    case "chat":
    case "details":
      return <Conversation at={at} />;
    case "settings":
      if (phone.value) return at.page === null ? null : <SettingsPage page={at.page} />;
      return (
        <Beside.Provider value>
          <SettingsPage page={at.page} />
        </Beside.Provider>
      );
    case "add":
      return <AddContact />;
    case "group":
      return <NewGroup />;
    case "channel":
      return <NewChannel />;
    case "join":
      return <JoinRoom key={at.address} address={at.address} link={at.link ?? null} />;
    case "requests":
      return <Requests />;
    case "starred":
      return <Starred key={at.address} address={at.address} />;
    case "share":
      return <Share />;
    default:
      return null;
  }
}

/** A conversation, with the details of whom it is with beside it, or in its place on a phone. */
function Conversation({ at }: { at: Extract<Route, { at: "chat" | "details" }> }) {
  const details = at.at === "details" && <ContactDetails address={at.address} />;
  if (phone.value && details) return details;
  return (
    <>
      <ChatView address={at.address} message={at.at === "chat" ? at.message : null} />
      {details && <aside class="pane pane-details">{details}</aside>}
    </>
  );
}

/** Takes the focus when it comes into view on a phone, where what had it is covered now. */
function MainPane({ at, children }: { at: Route; children: ComponentChildren }) {
  const pane = useRef<HTMLElement>(null);
  const place = at.at === "chat" || at.at === "details" ? `${at.at} ${at.address}` : at.at;
  useEffect(() => {
    const focused = document.activeElement;
    if (phone.value && (focused === document.body || focused?.closest("[inert]"))) pane.current?.focus();
  }, [place]);
  return (
    <main class="pane pane-main" ref={pane} tabIndex={-1} key={phone.value ? place : "beside"}>
      {children}
    </main>
  );
}
