// What stands in place of the field while this account cannot write into a room: an invitation, or
// why it is not in it.

import { useSignal } from "@preact/signals";

import { fill, words } from "../../../i18n";
import { go } from "../../../route";
import { Button } from "../../kit";
import { accept, decline } from "../../people/room/invitation";
import { reasonText } from "../../reason";
import { roomTakes } from "../../shell/targets";
import type { Chat } from "../state";

/** Whether this account can write here, as far as is known. */
export function mayWrite(chat: Chat): boolean {
  const room = chat.room.value;
  return !chat.isRoom.value || !room || roomTakes(room, chat.store.account.value?.connection.is === "online");
}

export function Gate({ chat }: { chat: Chat }) {
  const say = words().rooms;
  const busy = useSignal(false);
  const room = chat.room.value;
  if (!room) return null;
  const { address, store } = chat;
  const during = async (work: () => Promise<unknown>) => {
    busy.value = true;
    await work();
    busy.value = false;
  };
  const enter = () => during(() => chat.try({ do: "joinRoom", address, nick: null, password: null }));
  const remove = async () => {
    if (await chat.try({ do: "hide", address })) go({ at: "list" }, true);
  };
  if (room.state.is === "invited") {
    const by = room.invitedBy;
    const name = by === null ? say.somebody : chat.nameOf(by);
    const known = by !== null && store.contact(by)?.inRoster === true;
    return (
      <div class="composer gate" role="group" aria-label={fill(say.invitation.title, { name })}>
        <p class="gate-text">
          <strong>{fill(say.invitation.title, { name })}</strong>
          {!known && <span>{fill(say.invitation.unknown, { name })}</span>}
        </p>
        <div class="gate-buttons">
          <Button
            disabled={busy.value}
            onClick={() => void during(async () => (await decline(store, address)) && go({ at: "list" }, true))}
          >
            {say.invitation.decline}
          </Button>
          <Button kind="primary" busy={busy.value} onClick={() => void during(() => accept(store, address))}>
            {say.invitation.accept}
          </Button>
        </div>
      </div>
    );
  }
  if (room.state.is === "in") {
    return (
      <div class="composer gate">
        <p class="gate-text">{say.gate.reads}</p>
      </div>
    );
  }
  const refused = room.state.is === "refused";
  const text = room.state.is === "refused" ? fill(say.gate.refused, { reason: reasonText(room.state.reason) }) : say.gate.out;
  return (
    <div class="composer gate" role="status">
      <p class="gate-text">{text}</p>
      <div class="gate-buttons">
        <Button disabled={busy.value} onClick={() => void remove()}>
          {say.gate.remove}
        </Button>
        <Button kind="primary" busy={busy.value} onClick={() => void enter()}>
          {refused ? say.gate.refusedAction : say.gate.outAction}
        </Button>
      </div>
    </div>
  );
}
