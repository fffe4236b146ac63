// What somebody sees who is not in an account yet.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { arrived } from "./arrival";
import { attempt, entrance } from "./entering";
import { Choose } from "./choose";
import { HomeScreen } from "./home-screen";
import { forgetsPages } from "./install";
import { Invited } from "./invited";
import { Paste } from "./paste";
import { SignIn } from "./sign-in";
import type { Step } from "./stage";

export { arrived } from "./arrival";
export { isWelcome } from "./entering";
export { install, installable } from "./install";

/** The way into an account. */
export function Welcome() {
  const step = useSignal<Step>(first());
  const warned = useSignal(!forgetsPages());
  useEffect(() =>
    // A link that is opened in this tab later leads here as well.
    arrived.subscribe((invitation) => {
      if (invitation) step.value = { is: "invited", invitation };
    }),
  [step]);
  const to = (next: Step) => {
    if (attempt.peek().is === "failed") attempt.value = { is: "idle" };
    step.value = next;
  };
  if (!warned.value) return <HomeScreen invitation={arrived.value} onAnyway={() => (warned.value = true)} />;
  const now = step.value;
  switch (now.is) {
    case "choose":
      return <Choose to={to} />;
    case "paste":
      return <Paste to={to} />;
    case "invited":
      return <Invited key={now.invitation.token} invitation={now.invitation} to={to} />;
    case "signIn":
      return <SignIn invitation={now.invitation} to={to} />;
  }
}

function first(): Step {
  const invitation = arrived.peek();
  if (entrance.peek() === "signIn") return { is: "signIn", invitation };
  if (invitation) return { is: "invited", invitation };
  return entrance.peek() === "invitation" ? { is: "paste" } : { is: "choose" };
}
