// Parts of the page that the first look does not need. Their scripts are loaded when they are drawn,
// or when the page has nothing else to do.

import { checked } from "../checked";
import { route } from "../route";
import { lazy } from "./kit";

// Named as the build names their scripts.
const chat = () => checked("chat", () => import("./chat"));
const people = () => checked("people", () => import("./people"));
const pages = () => checked("pages", () => import("./shell/pages"));
const welcome = () => checked("welcome", () => import("./welcome"));
const starred = () => checked("starred", () => import("./shell/starred"));
const share = () => checked("share", () => import("./shell/share"));

export const AddContact = lazy(() => people().then((part) => part.AddContact));
export const ChatView = lazy(() => chat().then((part) => part.ChatView));
export const ContactDetails = lazy(() => people().then((part) => part.ContactDetails));
export const JoinRoom = lazy(() => people().then((part) => part.JoinRoom));
export const NewChannel = lazy(() => people().then((part) => part.NewChannel));
export const NewGroup = lazy(() => people().then((part) => part.NewGroup));
export const PlayerBar = lazy(() => chat().then((part) => part.PlayerBar));
export const Requests = lazy(() => people().then((part) => part.Requests));
export const SettingsIndex = lazy(() => pages().then((part) => part.SettingsIndex));
export const SettingsPage = lazy(() => pages().then((part) => part.SettingsPage));
export const Share = lazy(() => share().then((part) => part.Share));
export const Starred = lazy(() => starred().then((part) => part.Starred));
export const Welcome = lazy(() => welcome().then((part) => part.Welcome));

/** Loads what is drawn first, while the page prepares to draw. The list of chats is there already. */
export function loadFirst(hasAccount: boolean): void {
  if (!hasAccount) welcome().catch(() => undefined);
  else if (route.peek().at === "chat") chat().catch(() => undefined);
}

/** Loads what somebody with an account needs next: the chat at once, the rest when there is time. */
export function loadMore(): void {
  chat().catch(() => undefined);
  const load = () => void Promise.all([people(), pages()]).catch(() => undefined);
  if ("requestIdleCallback" in globalThis) requestIdleCallback(load, { timeout: 5000 });
  else setTimeout(load, 2000);
}
