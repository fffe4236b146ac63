// Who is in a room, and what can be done about each of them.

import { useSignal } from "@preact/signals";

import type { Member, Room } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { go } from "../../../route";
import { useStore } from "../../../state/use";
import { Avatar, Button, confirm, Group, openMenu, Row, type MenuItem } from "../../kit";
import { useAsk, type Asking } from "../ask";
import { standing } from "./words";

/** So many are listed at first: a channel may have thousands. */
const FEW = 12;
/** So many are drawn at most. */
const MOST = 500;

export function Members({ room }: { room: Room }) {
  const store = useStore();
  const w = words().rooms;
  const all = useSignal(false);
  const { busy, ask } = useAsk();
  const own = store.account.value?.address;
  const isOwn = (one: Member) => (one.address !== null && one.address === own) || (one.nick !== null && one.nick === room.nick);
  const members = [...room.members].sort(
    (a, b) => Number(isOwn(b)) - Number(isOwn(a)) || rank(b) - rank(a) || nameIn(a).localeCompare(nameIn(b)),
  );
  const nameOf = (one: Member) => {
    const known = one.address === null ? undefined : store.contact(one.address);
    return known && known.name !== one.address ? known.name : nameIn(one);
  };
  const shown = members.slice(0, all.value ? MOST : FEW);
  return (
    <>
      <Group title={room.private ? w.members(members.length) : w.present(members.length)}>
        {shown.map((one) => {
          const self = isOwn(one);
          const name = nameOf(one);
          const who = one.address ?? `${room.address}/${one.nick ?? ""}`;
          const parts = [standing(one), room.private && one.nick === null && !self ? w.member.away : ""];
          const items = self ? [] : actions(room, one, name, ask);
          const act = (event: MouseEvent) =>
            openMenu({ label: fill(w.member.actions, { name }), at: event.currentTarget as Element, items });
          return (
            <Row
              key={who}
              start={<Avatar address={who} name={name} avatar={one.address === null ? null : store.contact(one.address)?.avatar} size={40} />}
              label={
                <>
                  <bdi>{name}</bdi>
                  {self && ` (${w.member.you})`}
                </>
              }
              hint={parts.filter(Boolean).join(" · ") || undefined}
              disabled={busy}
              {...(items.length > 0 && { onClick: act })}
            />
          );
        })}
      </Group>
      {members.length > shown.length && !all.value && (
        <Button wide kind="quiet" onClick={() => (all.value = true)}>
          {w.details.more}
        </Button>
      )}
    </>
  );
}

function nameIn(one: Member): string {
  return one.nick ?? one.address ?? "";
}

/** Who can do most comes first, then who is here. */
function rank(one: Member): number {
  const affiliation = { owner: 8, admin: 6, member: 2, none: 0, outcast: -2 }[one.affiliation];
  return affiliation + (one.role === "moderator" ? 1 : 0) + (one.nick === null ? 0 : 0.5);
}

const POWER = { outcast: 0, none: 0, member: 1, admin: 2, owner: 3 };

/** XEP-0045 §5: owners change everybody, admins whoever is below them, moderators who is here. */
function actions(room: Room, one: Member, name: string, ask: Asking["ask"]): MenuItem[] {
  const w = words().rooms.member;
  const items: MenuItem[] = [];
  const { address, nick } = one;
  if (address !== null) {
    items.push(
      { label: fill(w.write, { name }), icon: "chat", run: () => go({ at: "chat", address, message: null }) },
      { label: w.profile, icon: "info", run: () => go({ at: "details", address }) },
    );
  }
  if (room.state.is !== "in") return items;
  const power = POWER[room.affiliation];
  const above = power > POWER[one.affiliation] || room.affiliation === "owner";
  const become = (affiliation: Member["affiliation"]) => {
    if (address !== null) void ask({ do: "setAffiliation", address: room.address, person: address, affiliation });
  };
  const play = (role: Member["role"]) => {
    if (nick !== null) void ask({ do: "setRole", address: room.address, nick, role });
  };
  const sure = async (title: string, text: string, action: string, then: () => void) => {
    if (await confirm({ title: fill(title, { name }), text, action, danger: true })) then();
  };
  const more: MenuItem[] = [];
  if (address !== null && room.affiliation === "owner") {
    if (one.affiliation !== "owner") more.push({ label: w.makeOwner, icon: "key", run: () => become("owner") });
    if (one.affiliation !== "admin") more.push({ label: w.makeAdmin, icon: "shield", run: () => become("admin") });
  }
  if (address !== null && power >= POWER.admin && above) {
    if (one.affiliation === "owner" || one.affiliation === "admin") {
      more.push({ label: w.makeMemberAgain, icon: "person", run: () => become("member") });
    } else if (one.affiliation === "none") {
      more.push({ label: w.makeMember, icon: "person", run: () => become("member") });
    }
  }
  if (nick !== null && room.role === "moderator" && POWER[one.affiliation] < POWER.admin) {
    if (one.role === "visitor") more.push({ label: w.unmute, icon: "pencil", run: () => play("participant") });
    else if (one.role === "participant") more.push({ label: w.mute, icon: "eye", run: () => play("visitor") });
    if (power >= POWER.admin) {
      if (one.role === "moderator") more.push({ label: w.takeModerator, icon: "shield", run: () => play("participant") });
      else more.push({ label: w.makeModerator, icon: "shield", run: () => play("moderator") });
    }
    if (!room.private) {
      more.push({ label: w.kick, icon: "signOut", danger: true, run: () => void sure(w.kickTitle, w.kickText, w.kick, () => play("none")) });
    }
  }
  if (address !== null && power >= POWER.admin && above) {
    if (room.private && one.affiliation !== "none") {
      more.push({ label: w.remove, icon: "trash", danger: true, run: () => void sure(w.removeTitle, w.removeText, w.remove, () => become("none")) });
    }
    more.push({ label: w.ban, icon: "block", danger: true, run: () => void sure(w.banTitle, w.banText, w.ban, () => become("outcast")) });
  }
  return items.length > 0 && more.length > 0 ? [...items, null, ...more] : [...items, ...more];
}
