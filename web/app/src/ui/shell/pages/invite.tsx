import { useSignal } from "@preact/signals";

import { words } from "../../../i18n";
import { useStore } from "../../../state/use";
import { Button, Group, Page, QrCode, toast } from "../../kit";
import { problemText } from "../../people/problem";

/** An invitation for somebody who has no account yet: a link, to send or to show. */
export function Invite() {
  const store = useStore();
  const w = words().shell;
  const link = useSignal<string | null>(null);
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  const make = async () => {
    busy.value = true;
    problem.value = null;
    const outcome = await store.ask({ do: "invite" });
    busy.value = false;
    if (outcome.is === "text") link.value = outcome.text;
    else if (outcome.is === "failed") problem.value = problemText(outcome.problem);
  };
  return (
    <Page title={w.inviteSomebody}>
      <Group>
        <div class="settings-inner invite">
          <p>{w.inviteText}</p>
          {link.value === null ? (
            <Button kind="primary" icon="plus" busy={busy.value} onClick={() => void make()}>
              {w.makeInvite}
            </Button>
          ) : (
            <InviteLink link={link.value} onAnother={() => void make()} busy={busy.value} />
          )}
          {problem.value && <p role="alert">{problem.value}</p>}
        </div>
      </Group>
      <p class="settings-text">{w.inviteOnce}</p>
    </Page>
  );
}

function InviteLink({ link, onAnother, busy }: { link: string; onAnother: () => void; busy: boolean }) {
  const w = words().shell;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link);
      toast(w.copied);
    } catch {
      toast({ text: w.copyRefused, problem: true });
    }
  };
  const share = () => {
    // Somebody who closes the sheet has not failed.
    navigator.share({ title: "Clownfish", text: words().shell.shareText, url: link }).catch(() => undefined);
  };
  return (
    <>
      <QrCode text={link} label={w.inviteQr} />
      <p class="invite-link" dir="ltr">
        {link}
      </p>
      <div class="invite-actions">
        <Button kind="primary" icon="copy" onClick={() => void copy()}>
          {w.copyLink}
        </Button>
        {"share" in navigator && (
          <Button icon="share" onClick={share}>
            {w.share}
          </Button>
        )}
        <Button kind="quiet" icon="plus" busy={busy} onClick={onAnother}>
          {w.anotherInvite}
        </Button>
      </div>
    </>
  );
}
