import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import type { Problem } from "../../core/types";
import { fill, words } from "../../i18n";
import { useStore } from "../../state/use";
import { Button, TextField } from "../kit";
import { Fish } from "../shell/fish";
import { parseAddress, serverOf } from "../people/address";
import { addressProblemText } from "../people/problem";
import type { Invitation } from "../people/links";
import { attempt, enter } from "./entering";
import { focusWrong, Progress, Stage, Trouble, type StepProps } from "./stage";
import { problemText } from "../people/problem";
import { reasonText } from "../reason";
import { otherDomain as OTHER_DOMAIN } from "../reason-forms";

interface SignInProps extends StepProps {
  /** Whoever invited is written to then. */
  invitation: Invitation | null;
}

/** An account that exists already: its address and its password. */
export function SignIn({ invitation, to }: SignInProps) {
  const store = useStore();
  const w = words().welcome;
  const address = useSignal("");
  const password = useSignal("");
  const wrongAddress = useSignal<string | null>(null);
  const noPassword = useSignal(false);
  const now = attempt.value;
  const failed = now.is === "failed" ? now : null;
  const inviter = invitation?.inviter ?? null;
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => focusWrong(form.current), [failed]);
  const submit = (event?: Event) => {
    event?.preventDefault();
    const read = parseAddress(address.value);
    wrongAddress.value = read.is === "wrong" ? addressProblemText(read.problem) : null;
    noPassword.value = password.value === "";
    if (read.is === "wrong" || noPassword.value) return void setTimeout(() => focusWrong(form.current));
    const entry = { address: read.address, password: password.value, token: null, register: false, nickname: null };
    void enter(store, { ...entry, inviter: inviter === read.address ? null : inviter });
  };
  const elsewhere = failed !== null && isElsewhere(failed.problem, serverOf(failed.entry.address));
  const wrong = failed?.problem.kind === "login" && !elsewhere;
  return (
    <Stage>
      <Fish size={72} />
      <h1 class="welcome-title">{w.signInTitle}</h1>
      <p class="welcome-text">
        {w.signInText} {inviter && fill(w.signInThen, { name: inviter })}
      </p>
      <form ref={form} class="welcome-form" noValidate onSubmit={submit}>
        <TextField
          label={w.address}
          hint={w.addressHint}
          inputMode="email"
          name="username"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          enterkeyhint="next"
          required
          value={address.value}
          error={wrongAddress.value}
          onInput={(value) => {
            address.value = value;
            wrongAddress.value = null;
          }}
        />
        <TextField
          label={w.password}
          type="password"
          name="password"
          autocomplete="current-password"
          enterkeyhint="go"
          required
          value={password.value}
          error={noPassword.value ? w.passwordMissing : wrong ? w.wrongPassword : null}
          hint={wrong ? fill(w.forgotten, { server: serverOf(failed.entry.address) }) : null}
          onInput={(value) => {
            password.value = value;
            noPassword.value = false;
            if (failed) attempt.value = { is: "idle" };
          }}
        />
        {failed && !wrong && (
          <NotIn problem={failed.problem} server={serverOf(failed.entry.address)} elsewhere={elsewhere} onRetry={submit} />
        )}
        <Button kind="primary" wide type="submit" busy={now.is === "working"}>
          {w.signIn}
        </Button>
        <Progress />
      </form>
      {now.is !== "working" && (
        <div class="welcome-buttons">
          <Button kind="quiet" wide onClick={() => to(invitation ? { is: "invited", invitation } : { is: "choose" })}>
            {w.back}
          </Button>
        </div>
      )}
    </Stage>
  );
}

/** The account seems to be on another server than the one that the page comes from, which is the only one it talks to. */
function isElsewhere(problem: Problem, server: string): boolean {
  const served = location.hostname === server || location.hostname.endsWith(`.${server}`);
  const silent = problem.kind === "unreachable" || problem.kind === "timeout";
  return problem.words.includes(OTHER_DOMAIN) || (silent && !served);
}

interface NotInProps {
  problem: Problem;
  server: string;
  /** It is another server than the one that the page comes from. */
  elsewhere?: boolean;
  onRetry: () => void;
}

/** Why there is no session, when neither name nor password is to blame. */
export function NotIn({ problem, server, elsewhere = false, onRetry }: NotInProps) {
  const w = words().welcome;
  const retry = { label: w.retry, icon: "retry", run: onRetry } as const;
  if (elsewhere) return <Trouble text={fill(w.notHere, { server })} action={retry} />;
  if (problem.kind === "unreachable" || problem.kind === "timeout") {
    return <Trouble text={fill(w.unreachable, { server })} action={retry} />;
  }
  if (problem.kind === "storage") return <Trouble text={fill(w.storageRefused, { reason: reasonText(problem.words) })} action={retry} />;
  return <Trouble text={problemText(problem)} action={retry} />;
}
