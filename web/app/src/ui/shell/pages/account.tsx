import { useSignal } from "@preact/signals";

import { fill, words } from "../../../i18n";
import { go } from "../../../route";
import { useStore } from "../../../state/use";
import { Address, Button, confirm, Dialog, Group, Page, Row, Spinner, TextField, toast } from "../../kit";
import { problemText } from "../../people/problem";
import { SHORTEST } from "../../welcome/password";
import { deleteServerHistory } from "../erase";
import { leaves } from "../expected";

/** The password, and leaving. */
export function AccountPage() {
  const store = useStore();
  const w = words().shell;
  const changing = useSignal(false);
  const deleting = useSignal(false);
  const leaving = useSignal(false);
  const account = store.account.value;
  if (!account) return null;
  const signOut = async () => {
    const sure = await confirm({
      title: w.signOutTitle,
      text: [w.signOutText, account.queued > 0 ? w.signOutQueued(account.queued) : ""].filter(Boolean).join(" "),
      action: w.signOut,
      danger: true,
    });
    if (!sure) return;
    leaving.value = true;
    const outcome = await leaves(() => store.ask({ do: "signOut" }));
    leaving.value = false;
    if (outcome.is === "failed") {
      toast({ text: problemText(outcome.problem), problem: true });
      return;
    }
    go({ at: "list" }, true);
  };
  return (
    <Page title={w.account}>
      <Group>
        <Row icon="person" label={w.address} hint={<Address text={account.address} />} />
        <Row icon="key" label={w.changePassword} leads onClick={() => (changing.value = true)} />
      </Group>
      <Group>
        <Row danger icon="trash" label={w.deleteHistory} hint={w.deleteHistoryHint} onClick={() => void deleteServerHistory(store)} />
      </Group>
      <Group>
        <Row
          danger
          {...(leaving.value ? { start: <Spinner size={22} /> } : { icon: "signOut" as const })}
          label={w.signOut}
          hint={w.signOutHint}
          disabled={leaving.value}
          onClick={() => void signOut()}
        />
        <Row danger icon="trash" label={w.deleteAccount} hint={w.deleteAccountHint} leads onClick={() => (deleting.value = true)} />
      </Group>
      {changing.value && <ChangePassword address={account.address} onClose={() => (changing.value = false)} />}
      {deleting.value && <DeleteAccount address={account.address} onClose={() => (deleting.value = false)} />}
    </Page>
  );
}

function ChangePassword({ address, onClose }: { address: string; onClose: () => void }) {
  const store = useStore();
  const w = words().shell;
  const password = useSignal("");
  const problem = useSignal<string | null>(null);
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if ([...password.value].length < SHORTEST) {
      problem.value = fill(w.passwordShort, { n: SHORTEST });
      return;
    }
    busy.value = true;
    const outcome = await store.ask({ do: "changePassword", password: password.value });
    busy.value = false;
    if (outcome.is === "failed") {
      problem.value = problemText(outcome.problem);
      return;
    }
    onClose();
    toast(w.passwordChanged);
  };
  return (
    <Dialog
      title={w.changePassword}
      onClose={onClose}
      actions={
        <Button kind="primary" type="submit" form="change-password" busy={busy.value}>
          {w.changePassword}
        </Button>
      }
    >
      <form id="change-password" class="form" onSubmit={(event) => void submit(event)}>
        <input class="hidden-text" type="text" autocomplete="username" value={address} readOnly tabIndex={-1} aria-hidden="true" />
        <TextField
          label={w.newPassword}
          type="password"
          autocomplete="new-password"
          autofocus
          value={password.value}
          error={problem.value}
          hint={w.passwordHint}
          onInput={(value) => {
            password.value = value;
            problem.value = null;
          }}
        />
      </form>
    </Dialog>
  );
}

/** Nothing brings an account back: its address is typed first. */
function DeleteAccount({ address, onClose }: { address: string; onClose: () => void }) {
  const store = useStore();
  const w = words().shell;
  const typed = useSignal("");
  const problem = useSignal<string | null>(null);
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (typed.value.trim().toLowerCase() !== address) {
      problem.value = fill(w.deleteAccountType, { address });
      return;
    }
    busy.value = true;
    const outcome = await leaves(() => store.ask({ do: "deleteAccount" }));
    busy.value = false;
    if (outcome.is === "failed") {
      problem.value = problemText(outcome.problem);
      return;
    }
    onClose();
    go({ at: "list" }, true);
  };
  return (
    <Dialog
      title={w.deleteAccountTitle}
      onClose={onClose}
      actions={
        <Button kind="danger" type="submit" form="delete-account" busy={busy.value}>
          {w.deleteAccount}
        </Button>
      }
    >
      <form id="delete-account" class="form" onSubmit={(event) => void submit(event)}>
        <p>{w.deleteAccountText}</p>
        <TextField
          label={w.deleteAccountLabel}
          hint={<bdi>{address}</bdi>}
          inputMode="email"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          autofocus
          value={typed.value}
          error={problem.value}
          onInput={(value) => {
            typed.value = value;
            problem.value = null;
          }}
        />
      </form>
    </Dialog>
  );
}
