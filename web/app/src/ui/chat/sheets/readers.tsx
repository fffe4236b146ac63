import type { Readers, Room } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { go } from "../../../route";
import { Button, Dialog, Icon, type IconName } from "../../kit";
import type { Chat } from "../state";

export interface SheetProps {
  chat: Chat;
  onClose: () => void;
}

/** Who can read what is written here, in words. */
export function ReadersDialog({ chat, onClose }: SheetProps) {
  const say = words().chat;
  const conversation = chat.conversation.value;
  const name = chat.name.value;
  if (!conversation) return null;
  const { encrypted, readers } = conversation;
  const devices = () => {
    onClose();
    go({ at: "details", address: chat.address });
  };
  const room = chat.isRoom.value ? chat.room.value : undefined;
  const actions = encrypted || room?.private === false ? (
    <Button kind="primary" icon={room ? "people" : "device"} onClick={devices}>
      {room ? words().rooms.readers.details : say.devices}
    </Button>
  ) : (
    <Button
      kind="primary"
      icon="lock"
      onClick={() => {
        onClose();
        void chat.encrypt(true);
      }}
    >
      {say.encryptAgain}
    </Button>
  );
  return (
    <Dialog title={say.readersTitle} onClose={onClose} actions={actions}>
      <ul class="readers">
        {room ? (
          <Among room={room} encrypted={encrypted} readers={readers} />
        ) : !encrypted ? (
          <Line icon="lockOpen" text={fill(say.readersPlain, { name })} warns />
        ) : readers.theirs === 0 && readers.leftOut === 0 ? (
          <Line icon="lock" text={fill(say.readersNone, { name })} />
        ) : (
          <>
          <Line icon="device" text={fill(say.readersTheirs(readers.theirs), { name })} />
          <Line icon="device" text={say.readersThis} />
          {readers.own > 0 && <Line icon="device" text={say.readersOwn(readers.own)} />}
          <Line icon="lock" text={say.readersNobody} />
          {readers.leftOut > 0 && <Line icon="alert" text={say.readersLeftOut(readers.leftOut)} warns />}
          <Line
            icon={readers.verified ? "shieldCheck" : "shield"}
            text={fill(readers.verified ? say.readersVerified : say.readersUnverified, { name })}
          />
          </>
        )}
      </ul>
    </Dialog>
  );
}

/** Who can read it in a room. */
function Among({ room, encrypted, readers }: { room: Room; encrypted: boolean; readers: Readers }) {
  const say = words().chat;
  const w = words().rooms.readers;
  if (!room.private) return <Line icon="lockOpen" text={w.open} warns={encrypted} />;
  if (!encrypted) return <Line icon="lockOpen" text={fill(say.readersPlain, { name: room.name })} warns />;
  return (
    <>
      <Line icon="people" text={readers.theirs === 0 ? w.none : w.theirs(readers.theirs)} />
      <Line icon="device" text={say.readersThis} />
      {readers.own > 0 && <Line icon="device" text={say.readersOwn(readers.own)} />}
      <Line icon="lock" text={say.readersNobody} />
      {readers.leftOut > 0 && <Line icon="alert" text={say.readersLeftOut(readers.leftOut)} warns />}
      {readers.theirs > 0 && (
        <Line icon={readers.verified ? "shieldCheck" : "shield"} text={readers.verified ? w.verified : w.unverified} />
      )}
    </>
  );
}

function Line({ icon, text, warns = false }: { icon: IconName; text: string; warns?: boolean }) {
  return (
    <li class={warns ? "readers-line readers-line-warns" : "readers-line"}>
      <Icon name={icon} size={22} />
      <span dir="auto">{text}</span>
    </li>
  );
}
