import type { ComponentChildren } from "preact";

import { words } from "../../i18n";
import { useStore } from "../../state/use";
import { Button, Icon } from "../kit";
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

/** The frame of each step: one column in the middle of the screen. */
export function Stage({ children }: { children: ComponentChildren }) {
  return (
    <main class="welcome scroll">
      <div class="welcome-column">{children}</div>
    </main>
  );
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
