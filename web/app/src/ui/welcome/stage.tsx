import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { words } from "../../i18n";
import { useStore } from "../../state/use";
import { Button, Icon, touch } from "../kit";
import type { Invitation } from "../people/links";
import { attempt } from "./entering";
import "./welcome.css";

export type Step =
  | { is: "choose" }
  | { is: "paste" }
  | { is: "invited"; invitation: Invitation }
  | { is: "signIn"; invitation: Invitation | null };

export interface StepProps {
  to: (step: Step) => void;
}

/** The frame of each step: one column in the middle of the screen. It takes the focus it is given. */
export function Stage({ children }: { children: ComponentChildren }) {
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    // Where there are no keys before the fields, a field would raise the keyboard over the words.
    const field = touch.peek() ? null : main.current?.querySelector<HTMLElement>("input:not([readonly], [type=file])");
    (field ?? main.current)?.focus();
  }, []);
  return (
    <main ref={main} class="welcome scroll" tabIndex={-1}>
      <div class="welcome-column">{children}</div>
    </main>
  );
}

/** Brings the first field that is wrong to who has to put it right. */
export function focusWrong(form: HTMLFormElement | null): void {
  form?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
}

/** How far it is, in words, while somebody waits. */
export function Progress() {
  const store = useStore();
  const w = words().welcome.progress;
  const now = attempt.value;
  const connection = store.account.value?.connection.is;
  const said =
    now.is !== "working"
      ? ""
      : connection === "catchingUp"
        ? w.keys
        : connection === "online"
          ? w.opening
          : connection === "waiting"
            ? w.connecting
            : now.entry.register
              ? w.account
              : w.signIn;
  return (
    <p class="welcome-progress" role="status">
      {said}
    </p>
  );
}

export interface TroubleProps {
  text: string;
  /** A sentence more. */
  more?: string;
  action?: { label: string; run: () => void; icon?: "retry" | "share" };
}

/** What went wrong, and the one thing to do about it. */
export function Trouble({ text, more, action }: TroubleProps) {
  return (
    <div class="welcome-trouble" role="alert">
      <Icon name="alert" size={20} />
      <div class="welcome-trouble-words">
        <p>{text}</p>
        {more && <p class="welcome-trouble-more">{more}</p>}
        {action && (
          <Button {...(action.icon ? { icon: action.icon } : {})} onClick={action.run}>
            {action.label}
          </Button>
        )}
      </div>
    </div>
  );
}
