// People who ask to become members of a group, for who decides about it (XEP-0045 §9.9).

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import type { JoinRequest, Room } from "../../../core/types";
import { cutAt } from "../../../cut";
import { fill, words } from "../../../i18n";
import { useStore } from "../../../state/use";
import { Avatar, Button, Group, Row, toast } from "../../kit";
import { problemText } from "../problem";
import "./requests.css";

/** So much of a name that somebody gives themselves is shown. */
const LONGEST_NAME = 60;

/** Who asks to be let in, for who decides about that. */
export function Requests({ room }: { room: Room }) {
  const store = useStore();
  const w = words().rooms.requests;
  const [busy, setBusy] = useState(false);
  const { place, leavingFrom } = useNextFocus(room.requests.length, busy);
  const answer = async (one: JoinRequest, name: string, at: number, allow: boolean) => {
    leavingFrom(at);
    setBusy(true);
    const { address } = room;
    const outcome = await store.ask({ do: "answerJoinRequest", address, nick: one.nick, person: one.address, allow });
    setBusy(false);
    if (outcome.is !== "failed") return toast(fill(allow ? w.admitted : w.refused, { name }));
    toast({ text: outcome.problem.kind === "unknown" ? w.gone : problemText(outcome.problem), problem: true });
  };
  return (
    <div ref={place}>
      {room.requests.length > 0 && (
        <Group title={w.title}>
          {room.requests.map((one, at) => {
            const contact = one.address === null ? undefined : store.contact(one.address);
            const name = contact?.name ?? cutAt(one.nick, LONGEST_NAME);
            return (
              <Row
                key={`${one.address ?? ""} ${one.nick}`}
                start={<Avatar address={one.address ?? one.nick} name={name} avatar={contact?.avatar ?? null} size={40} />}
                label={<bdi>{name}</bdi>}
                hint={<Asker one={one} />}
                end={
                  <>
                    <Button kind="quiet" disabled={busy} aria-label={fill(w.refuseSomebody, { name })} onClick={() => void answer(one, name, at, false)}>
                      {w.refuse}
                    </Button>
                    <Button kind="plain" disabled={busy} aria-label={fill(w.admitSomebody, { name })} onClick={() => void answer(one, name, at, true)}>
                      {w.admit}
                    </Button>
                  </>
                }
              />
            );
          })}
        </Group>
      )}
    </div>
  );
}

/** The address as the room tells it, and below it, in quotes, what a stranger may have written to look like one. */
function Asker({ one }: { one: JoinRequest }) {
  const w = words().rooms;
  return (
    <>
      <span class="asker-line">{one.address === null ? w.requests.noAddress : <bdi>{one.address}</bdi>}</span>
      {one.words !== null && (
        <span class="asker-line" dir="auto">
          {fill(w.invitation.reason, { reason: one.words })}
        </span>
      )}
    </>
  );
}

/** Whoever has answered one of `count` goes on at the next one, or at the title of the page after the last. */
function useNextFocus(count: number, busy: boolean) {
  const place = useRef<HTMLDivElement>(null);
  const left = useRef<{ at: number; count: number; moved: boolean } | null>(null);
  useLayoutEffect(() => {
    const from = left.current;
    if (from === null || busy) return;
    // The row may go after the answer has come; nobody is taken away from where they went meanwhile.
    const lost = document.activeElement === null || document.activeElement === document.body;
    if (!from.moved || lost) {
      const rows = place.current?.querySelectorAll(".row") ?? [];
      const next = rows[Math.min(from.at, rows.length - 1)]?.querySelector<HTMLElement>("button");
      (next ?? place.current?.closest(".page")?.querySelector<HTMLElement>(".page-title"))?.focus();
    }
    left.current = count === from.count ? { ...from, moved: true } : null;
  }, [count, busy]);
  return { place, leavingFrom: (at: number) => void (left.current = { at, count, moved: false }) };
}
