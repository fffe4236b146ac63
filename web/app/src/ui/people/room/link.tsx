// A link that makes whoever follows it a member of a private group (XEP-0488).

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import type { Problem, Room, RoomLink } from "../../../core/types";
import { fill, language, words } from "../../../i18n";
import { Button, confirm, Dialog, Group, QrCode, Row, toast } from "../../kit";
import { reasonOf, withoutKind } from "../../reason";
import { duration } from "../../duration";
import { useStore } from "../../../state/use";
import { enterLink } from "../links";
import { problemText } from "../problem";
import { canShare, copy, shareText } from "../share";
import { useAsk } from "../ask";
import "../people.css";

/** How long a link is good for, in seconds: a week. */
export const LINK_SECONDS = 7 * 24 * 60 * 60;
/** So many of those that are good are listed. */
const MOST = 20;

export function GroupLink({ room, onClose }: { room: Room; onClose: () => void }) {
  const store = useStore();
  const w = words().rooms.groupLink;
  const { address, name } = room;
  const link = useSignal<RoomLink | null>(null);
  const existing = useSignal<readonly RoomLink[]>([]);
  useEffect(() => {
    // What cannot be listed is made anew.
    void store.ask({ do: "roomLinks", address }).then((outcome) => {
      if (outcome.is === "links") existing.value = outcome.links.slice(0, MOST);
    });
  }, [address]);
  const problem = useSignal<string | null>(null);
  const { busy, ask } = useAsk();
  const making = useSignal(false);
  const make = async () => {
    making.value = true;
    problem.value = null;
    const outcome = await store.ask({ do: "roomLink", address, seconds: LINK_SECONDS });
    making.value = false;
    if (outcome.is === "links") link.value = outcome.links[0] ?? null;
    else if (outcome.is === "failed") problem.value = isFull(outcome.problem) ? w.tooMany : problemText(outcome.problem);
  };
  const withdraw = async () => {
    const title = fill(w.withdrawTitle, { name });
    const sure = await confirm({ title, text: w.withdrawText, action: w.withdrawAction, danger: true });
    const outcome = sure ? await ask({ do: "revokeRoomLinks", address }) : null;
    if (outcome?.is !== "withdrawn") return;
    link.value = null;
    existing.value = [];
    toast(w.withdrawn(outcome.count));
  };
  const made = link.value && enterLink(location.origin, link.value.link, name);
  const encrypted = store.conversation(address)?.encrypted ?? true;
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
          {link.value && (existing.value.includes(link.value) ? "" : `${w.made} `) + goodness(link.value)}
        </p>
        {made !== null && (
          <>
            <QrCode text={made} label={w.codeLabel} />
            <p class="qr-card-text" dir="ltr">
              {made}
            </p>
          </>
        )}
        {made === null && (
          <>
            <p class="qr-card-text">{encrypted ? w.text : w.textPlain}</p>
            <Button kind="primary" icon="link" busy={making.value} onClick={() => void make()}>
              {w.make}
            </Button>
          </>
        )}
        {problem.value && <p role="alert">{problem.value}</p>}
        {made === null && existing.value.length > 0 && (
          <Group title={w.existing}>
            {existing.value.map((one) => (
              <Row key={one.link} icon="link" label={goodness(one)} leads onClick={() => (link.value = one)} />
            ))}
          </Group>
        )}
        <Button kind="quiet" busy={busy} onClick={() => void withdraw()}>
          {w.withdraw}
        </Button>
      </div>
    </Dialog>
  );
}

/** How long a link is good for yet, and for how many. */
function goodness({ seconds, uses }: RoomLink): string {
  const w = words().rooms.groupLink;
  const time = seconds === null ? w.goodUntil : fill(w.goodFor, { time: duration(seconds, language.value) });
  return uses === null ? `${time}.` : `${time}, ${w.uses(uses)}.`;
}

/** The room has no place for another one. */
function isFull({ words: said }: Problem): boolean {
  return reasonOf(withoutKind(said))?.code === "resourceConstraint";
}
