// Getting into an account: registering or signing in, until there is a session.

import { effect, signal, type Signal } from "@preact/signals";

import type { Problem } from "../../core/types";
import { go } from "../../route";
import type { Store } from "../../state/store";
import { worked } from "../shell/expected";
import { arrived, led } from "./arrival";
import { offerInstall } from "./install";
import { offerToKeep } from "./keep";
import { forgetProposal } from "./password";

/** Who wants to get in, and how. */
export interface Entry {
  address: string;
  password: string;
  /** The account has to be made, with this invitation. */
  token: string | null;
  /** Make the account, not only sign in. */
  register: boolean;
  /** Who to write to then. */
  inviter: string | null;
  /** What others are to see; none if it is the name in the address. */
  nickname: string | null;
}

export type Attempt = { is: "idle" } | { is: "working"; entry: Entry } | { is: "failed"; entry: Entry; problem: Problem };

/**
 * How far somebody is. While it is not idle the welcome stays on the screen, although the core speaks
 * of an account already: that account may never have worked.
 */
export const attempt: Signal<Attempt> = signal({ is: "idle" });

/** What the welcome begins with: somebody who had an account here has said already how they come in. */
export const entrance = signal<"choose" | "signIn" | "invitation">("choose");

/** Whether the welcome is to be shown. */
export function isWelcome(store: Store): boolean {
  const account = store.account.value;
  return !account || attempt.value.is !== "idle" || !worked(account);
}

/** Tries to get in; ends with the account on the screen, or with a problem. */
export async function enter(store: Store, entry: Entry): Promise<void> {
  if (attempt.peek().is === "working") return;
  attempt.value = { is: "working", entry };
  // A server that could not be reached is tried again by the core; it may be there in the end.
  const stop = effect(() => {
    const account = store.account.value;
    const now = attempt.value;
    if (now.is === "idle") return queueMicrotask(() => stop());
    const there = account?.connection.is === "online" || account?.connection.is === "catchingUp";
    if (now.entry === entry && now.is === "failed" && account?.address === entry.address && there) {
      queueMicrotask(() => finish(store, entry));
    }
  });
  const { address, password, token, inviter } = entry;
  const outcome = await store.ask(
    entry.register ? { do: "register", address, password, token, inviter } : { do: "signIn", address, password },
  );
  const now = attempt.peek();
  if (now.is === "idle" || now.entry !== entry) return;
  if (outcome.is === "failed") attempt.value = { is: "failed", entry, problem: outcome.problem };
  else finish(store, entry);
}

function finish(store: Store, entry: Entry): void {
  const now = attempt.peek();
  if (now.is === "idle" || now.entry !== entry) return;
  const { address, password, inviter, nickname } = entry;
  arrived.value = null;
  forgetProposal();
  attempt.value = { is: "idle" };
  entrance.value = "choose";
  const group = led.peek();
  if (group) go({ at: "join", address: group.address, link: group }, true);
  else go(inviter === null ? { at: "list" } : { at: "chat", address: inviter, message: null }, true);
  void offerToKeep(address, password);
  if (nickname !== null) void store.ask({ do: "setNickname", name: nickname });
  // Whoever registers becomes a contact of the inviter by that; somebody with an account does not.
  if (!entry.register && inviter !== null) void store.ask({ do: "addContact", address: inviter, name: null });
  // Not to be removed when the disk is full; some browsers ask the person.
  void navigator.storage?.persist?.().catch(() => false);
  offerInstall();
}
