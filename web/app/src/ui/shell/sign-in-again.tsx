import { useSignal } from "@preact/signals";

import { fill, words } from "../../i18n";
import { useStore } from "../../state/use";
import { Button, Dialog, TextField } from "../kit";
import { problemText } from "../people/problem";

/** Asks for the password anew when the server refuses what this device has. Nothing is lost by it. */
export function SignInAgain({ onClose }: { onClose: () => void }) {
  const store = useStore();
  const w = words().shell;
  const password = useSignal("");
  const busy = useSignal(false);
  const wrong = useSignal<string | null>(null);
  const address = store.account.value?.address ?? "";
  const submit = async (event: Event) => {
    event.preventDefault();
    busy.value = true;
    wrong.value = null;
    const outcome = await store.ask({ do: "signIn", address, password: password.value });
    busy.value = false;
    if (outcome.is !== "failed") return onClose();
    wrong.value = outcome.problem.kind === "login" ? w.wrongPassword : problemText(outcome.problem);
  };
  return (
    <Dialog
      title={w.connection.signIn}
      onClose={onClose}
      actions={
        <Button kind="primary" type="submit" form="sign-in-again" busy={busy.value} disabled={password.value === ""}>
          {w.connection.signIn}
        </Button>
      }
    >
      <form id="sign-in-again" class="form" onSubmit={(event) => void submit(event)}>
        <p>{fill(w.signInAgainText, { address })}</p>
        <input class="hidden-text" type="text" autocomplete="username" value={address} readOnly tabIndex={-1} aria-hidden="true" />
        <TextField
          label={w.password}
          type="password"
          autocomplete="current-password"
          autofocus
          value={password.value}
          error={wrong.value}
          onInput={(value) => (password.value = value)}
        />
      </form>
    </Dialog>
  );
}
