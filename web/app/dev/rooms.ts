// The rooms of the sample: who is in them, and what owners and members do there.

import type { Command, Conversation, Happened, Notice, Outcome, Room } from "../src/core/types";
import { message } from "./history";
import { DONE, failed, pause, type Talk } from "./made";
import { ME, type Person } from "./people";

/** What rooms need of the rest of the sample. */
interface Stage {
  say(notice: Notice): void;
  /** Begins a conversation that has nothing in it yet. */
  meet(person: Person): void;
  talk(address: string): Talk | undefined;
  change(talk: Talk, change: Partial<Conversation>): void;
}

export class Rooms {
  readonly #all = new Map<string, Room>();
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** All of them, in no order. */
  values(): Iterable<Room> {
    return this.#all.values();
  }

  /** There is one for this conversation from the start. */
  add(person: Person): void {
    this.#all.set(person.address, room(person));
  }

  async create(name: string | null, open: boolean, people: string[]): Promise<Outcome> {
    await pause(300);
    const address = `${Date.now().toString(36)}@conference.anemone.example`;
    const person = { address, name: name ?? "Group", ago: 0, plain: open, room: { open, people } };
    this.#stage.meet(person);
    const talk = this.#stage.talk(address);
    this.#set(room(person));
    if (talk) this.#stage.change(talk, { preview: null, order: String(Date.now()).padStart(15, "0") });
    return { is: "room", address };
  }

  /** Somebody asks to be let in. */
  asks(address: string, requests: Room["requests"]): void {
    const old = this.#all.get(address);
    if (old) this.#set({ ...old, requests });
  }

  /** What is asked for in a room. */
  do(address: string, command: Command): Outcome {
    const old = this.#all.get(address);
    if (command.do === "joinRoom") {
      if (address.startsWith("members@")) return this.#refuse(address);
      if (!old && address.startsWith("nowhere@")) return failed("refused", "there is no such room");
      const person = { address, name: address.split("@")[0] ?? address, ago: 0, plain: true, room: { open: true, people: ["Feste"] } };
      if (!this.#stage.talk(address)) this.#stage.meet(person);
      const entered = old ?? room(person);
      this.#set({ ...entered, state: { is: "in" }, invitedBy: null, nick: "Juliet", role: "participant" });
      return { is: "room", address };
    }
    if (!old) return failed("unknown", "there is no such room");
    const members = (change: (one: Room["members"][number]) => Room["members"][number]) =>
      this.#set({ ...old, members: old.members.map(change) });
    switch (command.do) {
      case "leaveRoom":
        return this.#set({ ...old, state: { is: "out" }, invitedBy: null, nick: null });
      case "destroyRoom":
        return this.#set({ ...old, state: { is: "refused", reason: "the room was destroyed" }, nick: null });
      case "inviteToRoom": {
        const made = { nick: null, address: command.person, affiliation: "member", role: "none", hats: [] } as const;
        return this.#set({ ...old, members: [...old.members, { ...made, hats: [] }] });
      }
      case "setAffiliation": {
        const { person, affiliation } = command;
        if (affiliation === "none" || affiliation === "outcast") {
          return this.#set({ ...old, members: old.members.filter((one) => one.address !== person) });
        }
        return members((one) => (one.address === person ? { ...one, affiliation } : one));
      }
      case "askToJoin":
        return this.#set({ ...old, asked: Date.now() });
      case "withdrawJoinRequest":
        return this.#set({ ...old, asked: null });
      case "answerJoinRequest": {
        const requests = old.requests.filter((one) => one.nick !== command.nick);
        return this.#set({ ...old, requests });
      }
      case "setRole":
        return members((one) => (one.nick === command.nick ? { ...one, role: command.role } : one));
      case "setSubject":
        this.#happened(address, { is: "subject", subject: command.subject || null });
        return this.#set({ ...old, subject: command.subject || null });
      case "setRoomName":
        this.#happened(address, { is: "name", name: command.name });
        return this.#set({ ...old, name: command.name });
      case "setRoomAvatar":
        return this.#set({ ...old, avatar: command.png === null ? null : `picture:${address}` });
      case "setRoomNick":
        return this.#set({ ...old, nick: command.nick, members: old.members.map((one) => (one.nick === old.nick ? { ...one, nick: command.nick } : one)) });
    }
    return failed("unknown", `the sample has no ${command.do}`);
  }

  /** It is for members only. */
  #refuse(address: string): Outcome {
    const reason = "only members may enter; one of them can invite you";
    const person = { address, name: address, ago: 0, plain: true, room: { open: true, people: [] } };
    this.#set({ ...room(person), state: { is: "refused", reason } });
    return failed("refused", reason);
  }

  #set(room: Room): Outcome {
    this.#all.set(room.address, room);
    this.#stage.say({ is: "room", ...room });
    const talk = this.#stage.talk(room.address);
    if (talk) this.#stage.change(talk, { name: room.name, request: room.state.is === "invited" });
    return DONE;
  }

  /** Notes it in the conversation, in the row at the end if that is one of such. */
  #happened(address: string, what: Happened): void {
    const talk = this.#stage.talk(address);
    if (!talk) return;
    const one = { time: Date.now(), nick: null, address: null, what };
    const last = talk.messages.at(-1);
    if (last?.content.is === "room") {
      const changed = { ...last, content: { ...last.content, happenings: [...last.content.happenings, one] } };
      talk.messages[talk.messages.length - 1] = changed;
      return this.#stage.say({ is: "messages", address, messages: [changed] });
    }
    const made = message(talk.person, false, one.time, { content: { is: "room", happenings: [one] } });
    talk.messages.push(made);
    this.#stage.say({ is: "messages", address, messages: [made] });
  }
}

/** A room of the sample, with this account in it. */
function room(person: Person): Room {
  const { open = false, subject, invitedBy, people } = person.room ?? { people: [] };
  const member = (one: string, at: number): Room["members"][number] => {
    const local = one.split("@")[0] ?? one;
    // Whoever is last is not there.
    const here = open || at < people.length - 1;
    return {
      nick: here ? (open ? one : local.charAt(0).toUpperCase() + local.slice(1)) : null,
      address: open ? null : one,
      affiliation: open ? (at === 0 ? "owner" : "none") : at === 0 ? "admin" : "member",
      role: here ? (at === 0 ? "moderator" : "participant") : "none",
      hats: [],
    };
  };
  const own = { nick: "Juliet", address: ME, affiliation: open ? "none" : "owner", role: open ? "participant" : "moderator", hats: [] } as const;
  return {
    address: person.address,
    name: person.name,
    subject: subject ?? null,
    avatar: null,
    nick: invitedBy ? null : "Juliet",
    state: invitedBy ? { is: "invited" } : { is: "in" },
    invitedBy: invitedBy ?? null,
    private: !open,
    links: !open,
    requests: [],
    asked: null,
    affiliation: invitedBy ? "none" : own.affiliation,
    role: invitedBy ? "none" : own.role,
    members: invitedBy ? [] : [{ ...own, hats: [] }, ...people.map(member)],
  };
}
