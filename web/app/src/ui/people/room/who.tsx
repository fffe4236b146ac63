// The name and the picture of a group or a channel, which its owners change.

import { useSignal } from "@preact/signals";

import type { Room } from "../../../core/types";
import { words } from "../../../i18n";
import { Address, Avatar, Button, Icon } from "../../kit";
import { useAsk } from "../ask";
import { ChoosePicture } from "../choose-picture";
import { RenameDialog } from "../rename";
import { copy } from "../share";
import { memberCount } from "./words";

export function Who({ room }: { room: Room }) {
  const w = words().rooms;
  const owned = room.state.is === "in" && room.affiliation === "owner";
  return (
    <div class="person">
      <Avatar address={room.address} name={room.name} avatar={room.avatar} group size={104} />
      <h2 class="person-name">
        <bdi>{room.name}</bdi>
      </h2>
      <p class="person-presence">
        {room.state.is === "in" ? memberCount(room) : room.private || room.state.is === "invited" ? w.group : w.channel}
      </p>
      {!room.private && (
        <button type="button" class="person-address" title={w.details.copyAddress} onClick={() => void copy(room.address)}>
          <Address text={room.address} />
          <Icon name="copy" size={16} />
          <span class="hidden-text">{w.details.copyAddress}</span>
        </button>
      )}
      {owned && <Owned room={room} />}
    </div>
  );
}

/** What owners can do about it. */
function Owned({ room }: { room: Room }) {
  const w = words().rooms.details;
  const { address } = room;
  const { busy, ask } = useAsk();
  const naming = useSignal(false);
  return (
    <div class="room-owned">
      <ChoosePicture
        has={room.avatar !== null}
        busy={busy}
        kind="quiet"
        onChoose={(png) => void ask({ do: "setRoomAvatar", address, png }, png === null ? w.pictureRemoved : w.pictureSaved)}
      />
      <Button kind="quiet" icon="edit" disabled={busy} onClick={() => (naming.value = true)}>
        {w.rename}
      </Button>
      {naming.value && (
        <RenameDialog
          title={w.renameTitle}
          label={w.renameLabel}
          hint={w.subjectHint}
          name={room.name}
          longest={100}
          busy={busy}
          onSave={async (name) => {
            if (name === "" || name === room.name || (await ask({ do: "setRoomName", address, name }))) naming.value = false;
          }}
          onClose={() => (naming.value = false)}
        />
      )}
    </div>
  );
}
