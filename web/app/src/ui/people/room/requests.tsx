// People who ask to become members of a group (XEP-0045 §7.10, §9.9), on both sides.

import type { JoinRequest, Room } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { useStore } from "../../../state/use";
import { Avatar, Button, Group, Row } from "../../kit";
import { reasonOf } from "../../reason";
import { useAsk } from "../ask";

/** Who asks to be let in, for who decides about that. */
export function Requests({ room }: { room: Room }) {
  const store = useStore();
  const w = words().rooms.requests;
  const { busy, ask } = useAsk();
  if (room.requests.length === 0) return null;
  const answer = (one: JoinRequest, name: string, allow: boolean) =>
    void ask(
      { do: "answerJoinRequest", address: room.address, nick: one.nick, allow },
      fill(allow ? w.admitted : w.refused, { name }),
    );
  return (
    <Group title={w.title}>
      {room.requests.map((one) => {
        const contact = one.address === null ? undefined : store.contact(one.address);
        const name = contact?.name ?? one.nick;
        const said = [one.address, one.words].filter(Boolean).join(" · ");
        return (
          <Row
            key={one.nick}
            start={<Avatar address={one.address ?? one.nick} name={name} avatar={contact?.avatar ?? null} size={40} />}
            label={<bdi>{name}</bdi>}
            hint={said && <span dir="auto">{said}</span>}
            end={
              <>
                <Button kind="quiet" disabled={busy} aria-label={fill(w.refuseSomebody, { name })} onClick={() => answer(one, name, false)}>
                  {w.refuse}
                </Button>
                <Button kind="plain" disabled={busy} aria-label={fill(w.admitSomebody, { name })} onClick={() => answer(one, name, true)}>
                  {w.admit}
                </Button>
              </>
            }
          />
        );
      })}
    </Group>
  );
}

/** Whether somebody whom a room refuses for this reason can ask to be let in. */
export function canAsk(reason: string): boolean {
  const code = reasonOf(reason)?.code;
  return code === "roomMembers" || code === "roomLinkOver";
}

/** Asks the admins of a group. */
export function AskToJoin({ address }: { address: string }) {
  const w = words().rooms.requests;
  const { busy, ask } = useAsk();
  return (
    <Button busy={busy} onClick={() => void ask({ do: "askToJoin", address, words: null }, w.asked)}>
      {w.ask}
    </Button>
  );
}
