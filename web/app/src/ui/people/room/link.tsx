// A link that makes whoever follows it a member of a private group (XEP-0488).

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import type { Room } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { Button, confirm, Dialog, QrCode, toast } from "../../kit";
import { useStore } from "../../../state/use";
import { namedLink } from "../links";
import { problemText } from "../problem";
import { canShare, copy, shareText } from "../share";
import { useAsk } from "../ask";
import "../people.css";

/** How long a link is good for, in seconds: a week. */
export const LINK_SECONDS = 7 * 24 * 60 * 60;

export function GroupLink({ room, onClose }: { room: Room; onClose: () => void }) {
  const store = useStore();
  const w = words().rooms.groupLink;
  const { address, name } = room;
  const link = useSignal<string | null>(null);
  const problem = useSignal<string | null>(null);
  const { busy, ask } = useAsk();
  const making = useSignal(false);
  const make = async () => {
    making.value = true;
    problem.value = null;
    const outcome = await store.ask({ do: "roomLink", address, seconds: LINK_SECONDS });
    making.value = false;
    if (outcome.is === "links") link.value = namedLink(outcome.links[0]?.link ?? "", name);
    else if (outcome.is === "failed") problem.value = problemText(outcome.problem);
  };
  const withdraw = async () => {
    const title = fill(w.withdrawTitle, { name });
    const sure = await confirm({ title, text: w.withdrawText, action: w.withdrawAction, danger: true });
    if (!sure || !(await ask({ do: "revokeRoomLinks", address }))) return;
    link.value = null;
    toast(fill(w.withdrawn, { name }));
  };
  const made = link.value;
  // The button that made it is gone; whoever listens goes on where it says so.
  const status = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    if (made !== null) status.current?.focus();
  }, [made]);
  return (
    <Dialog
      title={fill(w.title, { name })}
      onClose={onClose}
      actions={
        made !== null && (
          <>
            <Button icon="copy" kind={canShare() ? "plain" : "primary"} onClick={() => void copy(made)}>
              {words().people.qr.copyLink}
            </Button>
            {canShare() && (
              <Button kind="primary" icon="share" onClick={() => void shareText(`${fill(w.shareText, { name })} ${made}`)}>
                {words().people.qr.share}
              </Button>
            )}
          </>
        )
      }
    >
      <div class="qr-card">
        <p class="qr-card-text" role="status" tabIndex={-1} ref={status}>
          {made !== null && w.made}
        </p>
        {made !== null && (
          <>
            <QrCode text={made} label={w.codeLabel} />
            <p class="qr-card-text" dir="ltr">
              {made}
            </p>
          </>
        )}
        <p class="qr-card-text">{w.text}</p>
        {made === null && (
          <Button kind="primary" icon="link" busy={making.value} onClick={() => void make()}>
            {w.make}
          </Button>
        )}
        {problem.value && <p role="alert">{problem.value}</p>}
        <Button kind="quiet" busy={busy} onClick={() => void withdraw()}>
          {w.withdraw}
        </Button>
      </div>
    </Dialog>
  );
}
