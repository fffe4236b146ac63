import { useSignal } from "@preact/signals";

import type { Contact, Conversation, Mute } from "../../core/types";
import { fill, region, words } from "../../i18n";
import { go } from "../../route";
import { useStore } from "../../state/use";
import { Address, Avatar, Button, confirm, Group, Icon, openMenu, Page, Row, toast } from "../kit";
import { showGallery } from "../chat/wish";
import { hidden, muted } from "../shell/conversations";
import { longTime, now } from "../shell/time";
import { useAsk } from "./ask";
import { block, unblock } from "./block";
import { DeviceList } from "./devices";
import { presenceText, PresenceDot } from "./presence";
import { RenameDialog } from "./rename";
import { RoomDetails } from "./room/details";
import { copy } from "./share";
import { Card, Tile } from "./parts";
import { Verify } from "./verify";
import { ChatWallpaper } from "./wallpaper";
import "./people.css";
import "./details.css";

/** Everything about one person. */
export function ContactDetails({ address }: { address: string }) {
  const store = useStore();
  // A room is known as one even before its conversation is.
  const room = store.conversation(address)?.room ?? store.room(address) !== undefined;
  if (room) return <RoomDetails address={address} key={address} />;
  return <PersonDetails address={address} key={address} />;
}

function PersonDetails({ address }: { address: string }) {
  const w = words().people;
  return (
    <Page title={w.details.title} key={address}>
      <Body address={address} />
    </Page>
  );
}

function Body({ address }: { address: string }) {
  const store = useStore();
  const w = words().people;
  const contact = store.contact(address);
  const conversation = store.conversation(address);
  const name = contact?.name ?? conversation?.name ?? address;
  const known = contact?.inRoster === true;
  const self = address === store.account.value?.address;
  return (
    <>
      <Who address={address} name={name} contact={contact} known={known} />
      <Standing address={address} name={name} contact={contact} />
      <Quick address={address} name={name} conversation={conversation} />
      {conversation && !self && <Encryption address={address} name={name} conversation={conversation} />}
      <h2 class="people-heading">{fill(w.devices.of, { name })}</h2>
      <DeviceList address={address} />
      {conversation && <ChatWallpaper address={address} value={conversation.wallpaper} />}
      <Options address={address} name={name} contact={contact} conversation={conversation} />
    </>
  );
}

interface PersonProps {
  address: string;
  name: string;
}

function Who({ address, name, contact, known }: PersonProps & { contact: Contact | undefined; known: boolean }) {
  const w = words().people.details;
  const renaming = useSignal(false);
  return (
    <div class="person">
      {/* Nothing of strangers is loaded. */}
      <Avatar address={address} name={name} avatar={known ? contact?.avatar : null} size={104} />
      <h2 class="person-name">
        <Address text={name} />
      </h2>
      <button type="button" class="person-address" title={w.copyAddress} onClick={() => void copy(address)}>
        <Address text={address} />
        <Icon name="copy" size={16} />
        <span class="hidden-text">{w.copyAddress}</span>
      </button>
      {contact && known && (
        <p class="person-presence">
          {contact.seen && <PresenceDot presence={contact.presence} />}
          <span>{presenceText(contact)}</span>
        </p>
      )}
      {contact?.status && (
        <p class="person-status" dir="auto">
          {contact.status}
        </p>
      )}
      {known && (
        <Button kind="quiet" icon="edit" onClick={() => (renaming.value = true)}>
          {w.rename}
        </Button>
      )}
      {renaming.value && <Rename address={address} name={name} onClose={() => (renaming.value = false)} />}
    </div>
  );
}

/** What the two are to each other, when there is something to do about it. */
function Standing({ address, name, contact }: PersonProps & { contact: Contact | undefined }) {
  const store = useStore();
  const w = words().people.details;
  const { busy, ask } = useAsk();
  const own = address === store.account.value?.address;
  const accept = async () => {
    if (!(await ask({ do: "answer", address, accept: true }))) return;
    if (contact?.inRoster !== true) await ask({ do: "addContact", address, name: null });
  };
  if (own) return null;
  if (contact?.blocked) {
    return (
      <Card icon="block" text={fill(w.blocked, { name })}>
        <Button disabled={busy} onClick={() => void unblock(store, address, name)}>
          {words().people.blocking.unblock}
        </Button>
      </Card>
    );
  }
  if (contact?.asks) {
    return (
      <Card icon="personAdd" text={fill(w.asks, { name })}>
        <Button disabled={busy} onClick={() => void ask({ do: "answer", address, accept: false })}>
          {w.refuse}
        </Button>
        <Button kind="primary" busy={busy} onClick={() => void accept()}>
          {w.accept}
        </Button>
      </Card>
    );
  }
  if (contact?.inRoster !== true) {
    return (
      <Card icon="person" text={fill(w.stranger, { name })}>
        <Button kind="primary" icon="personAdd" busy={busy} onClick={() => void ask({ do: "addContact", address, name: null })}>
          {w.addContact}
        </Button>
      </Card>
    );
  }
  return contact.asked ? <Card icon="clock" text={fill(w.asked, { name })} /> : null;
}

/** The things that are done most. */
function Quick({ address, name, conversation }: PersonProps & { conversation: Conversation | undefined }) {
  const w = words().people.details;
  const { ask } = useAsk();
  const silent = conversation !== undefined && muted(conversation.mute, now.value);
  const mute = (until: Mute) => void ask({ do: "mute", address, until });
  const hours = (n: number) => () => mute({ is: "until", time: Date.now() + n * 3_600_000 });
  const openMute = (at: Element) =>
    openMenu({
      label: fill(w.muteFor, { name }),
      at,
      items: [
        { label: w.muteHour, run: hours(1) },
        { label: w.muteHours, run: hours(8) },
        { label: w.muteWeek, run: hours(7 * 24) },
        { label: w.muteForever, run: () => mute({ is: "forever" }) },
      ],
    });
  return (
    <div class="quick">
      <Tile icon="chat" label={w.message} onClick={() => go({ at: "chat", address, message: null }, true)} />
      {conversation && (
        <>
          <Tile
            icon={silent ? "bellOff" : "bell"}
            label={silent ? w.unmute : w.mute}
            hint={silent && conversation.mute.is === "until" ? fill(w.mutedUntil, { time: longTime(conversation.mute.time, region()) }) : undefined}
            onClick={(event) => (silent ? mute({ is: "no" }) : openMute(event.currentTarget as Element))}
          />
          <Tile
            icon={conversation.pinned ? "pinOff" : "pin"}
            label={conversation.pinned ? w.unpin : w.pin}
            onClick={() => void ask({ do: "pin", address, pinned: !conversation.pinned })}
          />
          <Tile icon="image" label={w.media} onClick={() => showGallery(address)} />
        </>
      )}
    </div>
  );
}

/** Who can read what is written, in words, and what can be done about it. */
function Encryption({ address, name, conversation }: PersonProps & { conversation: Conversation }) {
  const w = words().people.encryption;
  const { busy, ask } = useAsk();
  const verifying = useSignal(false);
  const { encrypted, readers } = conversation;
  const says =
    !encrypted ? w.off
    : readers.theirs === 0 ? fill(w.none, { name })
    : fill(readers.verified ? w.verified : w.on, { name });
  const counts = [
    w.theirs(readers.theirs),
    ...(readers.own > 0 ? [w.own(readers.own)] : []),
    ...(readers.leftOut > 0 ? [w.leftOut(readers.leftOut)] : []),
  ];
  const icon = !encrypted ? "lockOpen" : readers.verified && readers.theirs > 0 ? "shieldCheck" : "lock";
  const turnOff = async () => {
    const sure = await confirm({
      title: fill(w.turnOffTitle, { name }),
      text: fill(w.turnOffText, { name }),
      action: w.turnOffAction,
      danger: true,
    });
    if (sure) await ask({ do: "setEncryption", address, encrypted: false });
  };
  const repair = async () => {
    const outcome = await ask({ do: "repairEncryption", address });
    if (outcome) toast(fill(w.repaired, { name }));
  };
  return (
    <>
      <Group title={w.title}>
        <div class={encrypted ? "row" : "row row-warns"}>
          <Icon name={icon} size={22} />
          <span class="row-words">
            <span class="row-label">{says}</span>
            {encrypted && <span class="row-hint">{counts.join(" · ")}</span>}
          </span>
        </div>
        {encrypted && (
          <Row icon="qr" label={fill(w.verify, { name })} hint={w.verifyHint} leads onClick={() => (verifying.value = true)} />
        )}
        {encrypted && (
          <Row icon="refresh" label={w.repair} hint={w.repairHint} disabled={busy} onClick={() => void repair()} />
        )}
        {encrypted ? (
          <Row icon="lockOpen" label={w.turnOff} disabled={busy} onClick={() => void turnOff()} />
        ) : (
          <Row icon="lock" label={w.turnOn} disabled={busy} onClick={() => void ask({ do: "setEncryption", address, encrypted: true })} />
        )}
      </Group>
      {verifying.value && <Verify address={address} name={name} onClose={() => (verifying.value = false)} />}
    </>
  );
}

interface OptionsProps extends PersonProps {
  contact: Contact | undefined;
  conversation: Conversation | undefined;
}

/** What ends something. */
function Options({ address, name, contact, conversation }: OptionsProps) {
  const store = useStore();
  const w = words().people;
  const { busy, ask } = useAsk();
  const remove = async () => {
    const sure = await confirm({
      title: fill(w.details.removeTitle, { name }),
      text: w.details.removeText,
      action: w.details.remove,
      danger: true,
    });
    if (sure) await ask({ do: "removeContact", address }, fill(w.details.removed, { name }));
  };
  const hide = async () => {
    if (!(await ask({ do: "hide", address }))) return;
    go({ at: "list" }, true);
    hidden(store, address, name);
  };
  if (address === store.account.value?.address) return null;
  return (
    <Group title={fill(w.details.options, { name })}>
      {conversation?.shown && (
        <Row icon="archive" label={w.details.hide} hint={w.details.hideHint} disabled={busy} onClick={() => void hide()} />
      )}
      {contact?.inRoster && (
        <Row danger icon="trash" label={w.details.remove} disabled={busy} onClick={() => void remove()} />
      )}
      {contact?.blocked ? (
        <Row icon="block" label={w.blocking.unblock} onClick={() => void unblock(store, address, name)} />
      ) : (
        <>
          <Row danger icon="block" label={w.details.blockRow} onClick={() => void block(store, address, name, false)} />
          <Row danger icon="flag" label={w.details.blockReportRow} onClick={() => void block(store, address, name, true)} />
        </>
      )}
    </Group>
  );
}

function Rename({ address, name, onClose }: PersonProps & { onClose: () => void }) {
  const w = words().people.details;
  const { busy, ask } = useAsk();
  return (
    <RenameDialog
      title={w.renameTitle}
      label={w.renameLabel}
      hint={w.renameHint}
      name={name === address ? "" : name}
      longest={100}
      busy={busy}
      onSave={async (typed) => {
        if (await ask({ do: "rename", address, name: typed || null })) onClose();
      }}
      onClose={onClose}
    />
  );
}
