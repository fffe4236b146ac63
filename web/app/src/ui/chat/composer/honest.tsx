// Who will not be able to read it, or who will that should not: said before it is sent.

import type { ComponentChildren } from "preact";

import { fill, words } from "../../../i18n";
import { go } from "../../../route";
import { Icon, type IconName } from "../../kit";
import { block } from "../../people/block";
import type { Chat } from "../state";

/** `writing`: something is about to be sent. That a device is left out is said only then. */
export function Honest({ chat, writing }: { chat: Chat; writing: boolean }) {
  const say = words().chat;
  const conversation = chat.conversation.value;
  if (!conversation) return null;
  const name = chat.name.value;
  const room = chat.isRoom.value ? chat.room.value : undefined;
  const details = () => go({ at: "details", address: chat.address });
  if (room && !room.private && room.state.is === "in") {
    // A channel says it in the field and above the first message.
    if (!conversation.encrypted) return null;
    return (
      <Bar icon="alert" text={words().rooms.readers.opened}>
        <button type="button" class="honest-button" onClick={() => void chat.askPlain()}>
          {say.writePlain}
        </button>
      </Bar>
    );
  }
  if (!conversation.encrypted) {
    return (
      <Bar icon="lockOpen" text={say.plainBar}>
        <button type="button" class="honest-button" onClick={() => void chat.encrypt(true)}>
          {say.plainBarAction}
        </button>
      </Bar>
    );
  }
  if (conversation.waitsForKeys) {
    return (
      <Bar icon="clock" text={room ? words().rooms.readers.waits : fill(say.waitsBar, { name })}>
        <button type="button" class="honest-button" onClick={() => void chat.askPlain()}>
          {say.writePlain}
        </button>
      </Bar>
    );
  }
  const { theirs, leftOut } = conversation.readers;
  if (chat.unencryptable.value || (theirs === 0 && leftOut > 0)) {
    return (
      <Bar icon="alert" text={room ? words().rooms.readers.nobody : fill(say.nobodyBar, { name })}>
        <button type="button" class="honest-button" onClick={details}>
          {room ? words().rooms.details.members : say.devices}
        </button>
        <button type="button" class="honest-button" onClick={() => void chat.askPlain()}>
          {say.writePlain}
        </button>
      </Bar>
    );
  }
  if (leftOut > 0 && writing) {
    return (
      <Bar icon="info" text={say.leftOutBar(leftOut)}>
        <button type="button" class="honest-button" onClick={details}>
          {say.leftOutAction}
        </button>
      </Bar>
    );
  }
  return null;
}

/** Somebody unknown wrote: are they welcome? */
export function Stranger({ chat }: { chat: Chat }) {
  const say = words().chat;
  if (!chat.conversation.value?.request || chat.isRoom.value) return null;
  const { address, store } = chat;
  const name = chat.name.value;
  return (
    <Bar icon="person" text={fill(say.strangerBar, { name })}>
      <button type="button" class="honest-button" onClick={() => void block(store, address, name, false)}>
        {say.block}
      </button>
      <button
        type="button"
        class="honest-button"
        onClick={() => void chat.try({ do: "addContact", address, name: null })}
      >
        {say.strangerAccept}
      </button>
    </Bar>
  );
}

function Bar(props: { icon: IconName; text: string; children: ComponentChildren }) {
  return (
    <div class="honest" role="status">
      <Icon name={props.icon} size={18} />
      <p class="honest-text">
        <bdi>{props.text}</bdi>
      </p>
      <span class="honest-buttons">{props.children}</span>
    </div>
  );
}
