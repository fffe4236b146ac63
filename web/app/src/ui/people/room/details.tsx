// Everything about a group or a channel.

import { useSignal } from "@preact/signals";

import type { Conversation, Mute, Room } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { go } from "../../../route";
import { useStore } from "../../../state/use";
import { Button, confirm, Dialog, Group, openMenu, Page, QrCode, Row, toast } from "../../kit";
import { showGallery } from "../../chat/wish";
import { hidden, muted } from "../../shell/conversations";
import { now } from "../../shell/time";
import { useAsk } from "../ask";
import { roomLink } from "../links";
import { Card, Tile } from "../parts";
import { RenameDialog } from "../rename";
import { copy } from "../share";
import { ChatWallpaper } from "../wallpaper";
import { accept, decline } from "./invitation";
import { GroupLink } from "./link";
import { Members } from "./members";
import { PeoplePicker } from "./picker";
import { reasonText } from "../../reason";
import { AskToJoin, canAsk } from "./asking";
import { Requests } from "./requests";
import { Who } from "./who";
import "../people.css";
import "./details.css";

export function RoomDetails({ address }: { address: string }) {
  const store = useStore();
  const w = words().rooms.details;
  const room = store.room(address);
  const conversation = store.conversation(address);
  const known = room !== undefined && room.state.is !== "invited";
  return (
    <Page title={known && !room.private ? w.titleChannel : w.title}>
      {room && (
        <>
          <Who room={room} />
          <Standing room={room} />
          <Requests room={room} />
          <Quick room={room} conversation={conversation} />
          {room.state.is === "in" && <Subject room={room} />}
          {known && conversation && <Encryption room={room} conversation={conversation} />}
          {known && conversation && <Notifications room={room} conversation={conversation} />}
          {room.state.is === "in" && <Coming room={room} />}
          {room.members.length > 0 && <Members room={room} />}
          {known && conversation && <ChatWallpaper address={address} value={conversation.wallpaper} />}
          <Options room={room} conversation={conversation} />
        </>
      )}
    </Page>
  );
}

interface RoomProps {
  room: Room;
}

interface TalkProps extends RoomProps {
  conversation: Conversation;
}

/** Whether this account is in it, when there is something to do about it. */
function Standing({ room }: RoomProps) {
  const store = useStore();
  const w = words().rooms;
  const { busy, ask } = useAsk();
  const { address } = room;
  if (room.state.is === "invited") {
    const by = room.invitedBy;
    const name = by === null ? w.somebody : (store.contact(by)?.name ?? by);
    return (
      <Card icon="people" text={fill(w.invitation.title, { name })}>
        <Button disabled={busy} onClick={() => void decline(store, address).then((done) => done && go({ at: "list" }, true))}>
          {w.invitation.decline}
        </Button>
        <Button kind="primary" busy={busy} onClick={() => void accept(store, address)}>
          {w.invitation.accept}
        </Button>
      </Card>
    );
  }
  const refused = room.state.is === "refused" ? room.state.reason : null;
  const offline = store.account.value?.connection.is !== "online";
  if (refused === null && (room.state.is !== "out" || offline)) return null;
  const text = refused === null ? w.gate.out : fill(w.gate.refused, { reason: reasonText(refused) });
  return (
    <Card icon="signOut" text={text}>
      {(room.asked !== null || (refused !== null && canAsk(refused))) && <AskToJoin address={address} nick={null} />}
      <Button
        kind="primary"
        busy={busy}
        onClick={() => void ask({ do: "joinRoom", address, nick: null, password: null })}
      >
        {refused === null ? w.gate.outAction : w.gate.refusedAction}
      </Button>
    </Card>
  );
}

function Quick({ room, conversation }: RoomProps & { conversation: Conversation | undefined }) {
  const w = words();
  const { ask } = useAsk();
  const { address } = room;
  return (
    <div class="quick">
      <Tile icon="chat" label={w.rooms.details.message} onClick={() => go({ at: "chat", address, message: null }, true)} />
      {conversation && (
        <>
          <Tile
            icon={conversation.pinned ? "pinOff" : "pin"}
            label={conversation.pinned ? w.people.details.unpin : w.people.details.pin}
            onClick={() => void ask({ do: "pin", address, pinned: !conversation.pinned })}
          />
          <Tile icon="image" label={w.rooms.details.media} onClick={() => showGallery(address)} />
        </>
      )}
    </div>
  );
}

function Subject({ room }: RoomProps) {
  const w = words().rooms.details;
  const { busy, ask } = useAsk();
  const changing = useSignal(false);
  const may = room.role === "moderator" || (room.private && room.role === "participant");
  if (!may && room.subject === null) return null;
  return (
    <>
      <Group title={w.subject}>
        <Row
          icon="chat"
          label={<span dir="auto">{room.subject ?? w.noSubject}</span>}
          {...(may && { hint: w.setSubject, onClick: () => (changing.value = true) })}
        />
      </Group>
      {changing.value && (
        <RenameDialog
          title={w.setSubject}
          label={w.subjectLabel}
          hint={w.subjectHint}
          name={room.subject ?? ""}
          longest={300}
          busy={busy}
          onSave={async (subject) => {
            if (await ask({ do: "setSubject", address: room.address, subject })) changing.value = false;
          }}
          onClose={() => (changing.value = false)}
        />
      )}
    </>
  );
}

/** Who can read it, in words, and why it cannot be encrypted where that is so. */
function Encryption({ room, conversation }: TalkProps) {
  const w = words().rooms;
  const { busy, ask } = useAsk();
  const { encrypted, readers } = conversation;
  if (!room.private) {
    return (
      <Group title={w.details.encryption}>
        <Row icon="lockOpen" label={w.details.open} hint={w.readers.open} />
      </Group>
    );
  }
  const people = words().people.encryption;
  const counts = [
    readers.theirs === 0 ? w.readers.none : w.readers.theirs(readers.theirs),
    ...(readers.own > 0 ? [people.own(readers.own)] : []),
    ...(readers.leftOut > 0 ? [people.leftOut(readers.leftOut)] : []),
  ];
  const icon = !encrypted ? "lockOpen" : readers.verified && readers.theirs > 0 ? "shieldCheck" : "lock";
  return (
    <Group title={w.details.encryption}>
      <Row
        icon={icon}
        label={encrypted ? w.details.encrypted : w.details.plain}
        hint={encrypted ? counts.join(" · ") : undefined}
      />
      {!encrypted && (
        <Row
          icon="lock"
          label={w.details.turnOn}
          disabled={busy}
          onClick={() => void ask({ do: "setEncryption", address: room.address, encrypted: true })}
        />
      )}
    </Group>
  );
}

function Notifications({ room, conversation }: TalkProps) {
  const w = words();
  const { busy, ask } = useAsk();
  const quiet = muted(conversation.mute, now.value);
  // Without a choice a channel interrupts only those who are spoken to.
  const usual = room.private ? "all" : "mentions";
  const chosen = conversation.notify === "usual" ? usual : conversation.notify;
  const said = { all: w.rooms.details.notifyAll, mentions: w.rooms.details.notifyMentions };
  const notify = async (messages: "all" | "mentions") => {
    if (!(await ask({ do: "notify", address: room.address, messages }))) return;
    if (quiet) mute({ is: "no" });
  };
  const mute = (until: Mute) => void ask({ do: "mute", address: room.address, until });
  const hours = (n: number) => () => mute({ is: "until", time: Date.now() + n * 3_600_000 });
  const open = (at: Element) =>
    openMenu({
      label: w.rooms.details.notifications,
      at,
      items: [
        { label: said.all, icon: "bell", checked: !quiet && chosen === "all", run: () => void notify("all") },
        { label: said.mentions, icon: "mention", checked: !quiet && chosen === "mentions", run: () => void notify("mentions") },
        null,
        { label: w.people.details.muteHour, icon: "clock", run: hours(1) },
        { label: w.people.details.muteHours, icon: "clock", run: hours(8) },
        { label: w.people.details.muteWeek, icon: "clock", run: hours(7 * 24) },
        { label: w.rooms.details.notifyNone, icon: "bellOff", checked: quiet, run: () => mute({ is: "forever" }) },
      ],
    });
  return (
    <Group title={w.rooms.details.notifications}>
      <Row
        icon={quiet ? "bellOff" : "bell"}
        label={quiet ? w.rooms.details.notifyNone : said[chosen]}
        disabled={busy}
        leads
        onClick={(event) => open(event.currentTarget as Element)}
      />
    </Group>
  );
}

/** How others come in, and what they see of this account. */
function Coming({ room }: RoomProps) {
  const w = words().rooms.details;
  const { busy, ask } = useAsk();
  const inviting = useSignal(false);
  const code = useSignal(false);
  const linking = useSignal(false);
  const naming = useSignal(false);
  const { address } = room;
  const mayInvite = !room.private || room.affiliation === "owner" || room.affiliation === "admin";
  return (
    <>
      <Group>
        {mayInvite && <Row icon="personAdd" label={w.invite} leads onClick={() => (inviting.value = true)} />}
        {room.links && <Row icon="link" label={w.byLink} hint={w.byLinkHint} leads onClick={() => (linking.value = true)} />}
        {/* A room that gives out links of its own lets nobody in who has only its address. */}
        {!room.private && !room.links && (
          <>
            <Row icon="link" label={w.link} hint={w.linkHint} onClick={() => void copy(roomLink(address))} />
            <Row icon="qr" label={w.code} leads onClick={() => (code.value = true)} />
          </>
        )}
        <Row icon="person" label={w.nick} hint={<bdi>{room.nick}</bdi>} onClick={() => (naming.value = true)} />
      </Group>
      {inviting.value && <Invite room={room} onClose={() => (inviting.value = false)} />}
      {linking.value && <GroupLink room={room} onClose={() => (linking.value = false)} />}
      {code.value && (
        <Dialog title={room.name} onClose={() => (code.value = false)}>
          <div class="room-code">
            <QrCode text={roomLink(address)} label={w.codeLabel} />
            <bdi>{address}</bdi>
          </div>
        </Dialog>
      )}
      {naming.value && (
        <RenameDialog
          title={w.nick}
          label={w.nickLabel}
          hint={w.nickHint}
          name={room.nick ?? ""}
          longest={60}
          busy={busy}
          onSave={async (nick) => {
            if (nick === "" || nick === room.nick || (await ask({ do: "setRoomNick", address, nick }))) naming.value = false;
          }}
          onClose={() => (naming.value = false)}
        />
      )}
    </>
  );
}

function Invite({ room, onClose }: RoomProps & { onClose: () => void }) {
  const w = words().rooms.details;
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const { busy, ask } = useAsk();
  const there = new Set(room.members.flatMap((one) => (one.address === null ? [] : [one.address])));
  const invite = async () => {
    let count = 0;
    for (const person of chosen.peek()) {
      if (!(await ask({ do: "inviteToRoom", address: room.address, person }))) break;
      count += 1;
    }
    if (count > 0) toast(w.invited(count));
    if (count === chosen.peek().size) onClose();
  };
  const count = chosen.value.size;
  return (
    <Dialog
      title={fill(w.inviteTitle, { name: room.name })}
      large
      onClose={onClose}
      actions={
        <Button kind="primary" busy={busy} disabled={count === 0} onClick={() => void invite()}>
          {w.inviteAction(count)}
        </Button>
      }
    >
      <PeoplePicker chosen={chosen} without={there} />
    </Dialog>
  );
}

/** What ends something. */
function Options({ room, conversation }: RoomProps & { conversation: Conversation | undefined }) {
  const store = useStore();
  const w = words().rooms.details;
  const { busy, ask } = useAsk();
  const { address, name } = room;
  const owners = room.members.filter((one) => one.affiliation === "owner").length;
  const alone = room.affiliation === "owner" && owners === 1 && room.members.length > 1;
  const leave = async () => {
    const text = alone ? w.leaveLast : w.leaveText;
    const sure = await confirm({ title: fill(w.leaveTitle, { name }), text, action: w.leave, danger: true });
    if (!sure || !(await ask({ do: "leaveRoom", address }))) return;
    if (!(await ask({ do: "hide", address }, fill(w.left, { name })))) return;
    go({ at: "list" }, true);
  };
  const destroy = async () => {
    const sure = await confirm({
      title: fill(w.destroyTitle, { name }),
      text: w.destroyText,
      action: w.destroy,
      danger: true,
    });
    if (sure) await ask({ do: "destroyRoom", address }, fill(w.destroyed, { name }));
  };
  const hide = async () => {
    if (!(await ask({ do: "hide", address }))) return;
    go({ at: "list" }, true);
    hidden(store, address, name);
  };
  const inside = room.state.is === "in" || room.state.is === "entering";
  return (
    <Group title={fill(w.options, { name })}>
      {conversation?.shown && (
        <Row icon="archive" label={w.hide} hint={w.hideHint} disabled={busy} onClick={() => void hide()} />
      )}
      {inside && <Row danger icon="signOut" label={w.leave} disabled={busy} onClick={() => void leave()} />}
      {room.state.is === "in" && room.affiliation === "owner" && (
        <Row danger icon="trash" label={w.destroy} disabled={busy} onClick={() => void destroy()} />
      )}
    </Group>
  );
}
