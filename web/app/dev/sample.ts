// A core without a network: it answers as the real one would, for development, screenshots, checks of
// accessibility and measurements of scrolling. It is never in the product.

import { batch } from "@preact/signals";

import type { Core, Squares } from "../src/core/api";
import type { Account, Command, Connection, Contact, Content, Conversation, Delivery, FileKind, Message, Notice, Outcome, Reached, Room, RoomLink } from "../src/core/types";
import { Devices } from "./devices";
import { history, lines, message, text } from "./history";
import { account, brief, crowd, DONE, failed, fileKind, part, pause, previewOf, type Talk } from "./made";
import { picture, sound, squares } from "./media";
import { contact, ME, PEOPLE, QUIET, type Person } from "./people";
import { Rooms } from "./rooms";

export interface SampleOptions {
  /** Conversations more, for lists that are long. */
  many?: number;
  /** Messages in the long conversation. */
  messages?: number;
  /** Messages in a page of a window. */
  page?: number;
  connection?: Connection;
  /** No account yet. */
  signedOut?: boolean;
  /** An account without contacts. */
  empty?: boolean;
  /** Never says whether there is an account. */
  starting?: boolean;
  /** What was missed could not be fetched. */
  behind?: boolean;
  /** The store refuses. */
  storage?: boolean;
}

export class Sample implements Core {
  readonly #options: SampleOptions;
  readonly #talks = new Map<string, Talk>();
  readonly #contacts = new Map<string, Contact>();
  readonly #files = new Map<string, Blob>();
  readonly #transfers = new Set<number>();
  readonly #devices = new Devices(() => this.#account?.address ?? ME, (notice) => this.#say(notice));
  /** Links into any room. */
  readonly #links: RoomLink[] = [];
  readonly #rooms = new Rooms({
    say: (notice) => this.#say(notice),
    meet: (person) => this.#meet(person, 0),
    talk: (address) => this.#talks.get(address),
    change: (talk, change) => this.#change(talk, change),
  });
  #account: Account | null;
  #listener: (notice: Notice) => void = () => {};

  constructor(options: SampleOptions = {}) {
    this.#options = options;
    this.#account = options.signedOut ? null : account(ME, options.connection ?? { is: "online" });
    if (options.empty) return;
    for (const person of PEOPLE) this.#meet(person, options.messages ?? 2000);
    for (const one of QUIET) this.#contacts.set(one.address, one);
    for (let i = 0; i < (options.many ?? 0); i++) this.#meet(crowd(i), 0);
  }

  listen(listener: (notice: Notice) => void): void {
    this.#listener = listener;
    if (this.#options.starting) return;
    // As from a worker: later, never while the page is being put together.
    setTimeout(() => this.everything(), 0);
  }

  request(command: Command): Promise<Outcome> {
    return new Promise((resolve) => setTimeout(() => void this.#do(command).then(resolve), 15));
  }

  async picture(avatar: string): Promise<Blob | null> {
    return picture(avatar);
  }

  async give(file: Blob): Promise<string> {
    const name = `given:${this.#files.size}`;
    this.#files.set(name, file);
    return name;
  }

  async file(local: string): Promise<Blob | null> {
    const given = this.#files.get(local);
    if (given) return given;
    if (/\.(png|jpe?g)$/.test(local)) return picture(local, 900);
    if (/\.(ogg|wav|mp3)$/.test(local)) return sound();
    return new Blob([`The contents of ${local}\n`], { type: "text/plain" });
  }

  async qr(text: string): Promise<Squares> {
    return squares(text);
  }

  async scan(): Promise<string[]> {
    return [];
  }

  #say(notice: Notice): void {
    this.#listener(notice);
  }

  /** Says something that nobody asked for. */
  tell(notice: Notice): void {
    this.#say(notice);
  }

  /** Somebody asks to be let into a room. */
  asks(address: string, requests: Room["requests"]): void {
    this.#rooms.asks(address, requests);
  }

  /** The file of a message is not here any more. */
  forgets(id: number): void {
    this.#edit(id, (old) =>
      old.content.is === "file" ? { ...old, content: { ...old.content, file: { ...old.content.file, local: null } } } : old,
    );
  }

  /** So many more people; `everything` tells of them. */
  crowd(many: number): void {
    for (let i = 0; i < many; i++) this.#meet(crowd(i), 0);
  }

  /** Tells all of it in one message, as a worker does at its start. */
  everything(): void {
    batch(() => this.#everything());
  }

  #everything(): void {
    if (!this.#account) return this.#say({ is: "signedOut" });
    for (const one of this.#contacts.values()) this.#say({ is: "contact", ...one });
    for (const one of this.#rooms.values()) this.#say({ is: "room", ...one });
    for (const { conversation } of this.#talks.values()) this.#say({ is: "conversation", ...conversation });
    this.#say({ is: "account", ...this.#account });
    if (this.#options.storage) this.#say({ is: "storage", reason: "the disk is full" });
  }

  #meet(person: Person, length: number): void {
    const messages = length > 0 ? history(person, length) : [];
    const known = contact(person);
    if (person.room) this.#rooms.add(person);
    else if (!person.stranger) this.#contacts.set(person.address, known);
    const last = messages.at(-1);
    const time = last?.time ?? Date.now() - person.ago * 60_000;
    this.#talks.set(person.address, {
      person,
      messages,
      from: null,
      until: null,
      conversation: {
        address: person.address,
        room: person.room !== undefined,
        mentions: person.mentions ?? 0,
        name: person.name,
        preview: last
          ? previewOf(last)
          : { own: false, author: null, text: person.last ?? "", said: true, time, delivery: null },
        unread: person.unread ?? 0,
        draft: person.draft ?? "",
        typing: person.typing ? [person.name] : [],
        mute: person.mute ?? { is: "no" },
        notify: "usual",
        pinned: person.pinned ?? false,
        wallpaper: null,
        behind: this.#options.behind ?? false,
        encrypted: !person.plain,
        readers: person.plain
          ? { theirs: 0, own: 0, leftOut: 0, verified: false }
          : { theirs: 2, own: 1, leftOut: person.outdated ? 1 : 0, verified: person.verified ?? false },
        waitsForKeys: person.keyless ?? false,
        request: person.stranger ?? false,
        order: String(time).padStart(15, "0"),
        shown: true,
      },
    });
  }

  async #do(command: Command): Promise<Outcome> {
    switch (command.do) {
      case "signIn":
      case "register":
        await pause(600);
        if (command.password === "wrong") return failed("login", "wrong password");
        if (command.address.endsWith("@nowhere.example")) return failed("unreachable", "no such server");
        if (command.address.startsWith("taken@")) return failed("nameTaken", "the name is taken");
        if (command.do === "register" && command.token === "used") return failed("notInvited", "used");
        this.#account = account(command.address, { is: "online" });
        this.#everything();
        return DONE;
      case "signOut":
      case "deleteAccount":
        this.#account = null;
        this.#say({ is: "signedOut" });
        return DONE;
      case "roomLink": {
        await pause(300);
        const link = `xmpp:${command.address}?join;password=7d1e4b9f2c${this.#links.length}`;
        const made = { link, seconds: command.seconds, uses: null };
        if (this.#links.length >= 2) return failed("refused", "it was refused: resource constraint: there are too many links already");
        this.#links.push(made);
        return { is: "links", links: [made] };
      }
      case "roomLinks":
        return { is: "links", links: [...this.#links] };
      case "revokeRoomLinks":
        await pause(300);
        return { is: "withdrawn", count: this.#links.splice(0).length };
      case "deleteServerHistory":
        await pause(300);
        return DONE;
      case "invite":
        await pause(300);
        return { is: "text", text: "https://anemone.example/i/9f2c7d1e4b" };
      case "setNickname":
        return this.#changeAccount({ nickname: command.name });
      case "setPrivacy":
        return this.#changeAccount({ privacy: command.privacy });
      case "setAvatar":
        return this.#changeAccount({ avatar: command.png ? `own:${command.png.length}` : null });
      case "reconnect":
        this.#changeAccount({ connection: { is: "connecting" } });
        await pause(900);
        return this.#changeAccount({ connection: { is: "online" } });
      case "createRoom":
        return this.#rooms.create(command.name, command.public, command.people);
      case "pushKey":
        return { is: "failed", problem: { kind: "unsupported", words: "the sample wakes nobody" } };
      case "setPush":
      case "setActive":
      case "changePassword":
      case "repairEncryption":
      case "discard":
        return DONE;
      case "devices":
        return this.#devices.show(command.address);
      case "setDeviceLabel":
      case "removeDevice":
      case "trust":
        return this.#devices.change(command);
      case "verify":
        return { is: "verified", count: 2 };
      case "search":
        return this.#search(command.text, command.address);
      case "files":
        return this.#filesOf(command.address, command.kinds);
      case "starred":
        return this.#find(command.address, (one) => one.starred && one.content.is === "text");
      default:
        return "address" in command ? this.#doWith(command.address, command) : this.#doMessage(command);
    }
  }

  #doWith(address: string, command: Command & { address: string }): Outcome | Promise<Outcome> {
    const talk = this.#talks.get(address);
    const known = this.#contacts.get(address);
    switch (command.do) {
      case "joinRoom":
      case "leaveRoom":
      case "destroyRoom":
      case "inviteToRoom":
      case "setAffiliation":
      case "setRole":
      case "setSubject":
      case "setRoomName":
      case "setRoomAvatar":
      case "setRoomNick":
      case "askToJoin":
      case "withdrawJoinRequest":
      case "answerJoinRequest":
        return this.#rooms.do(address, command);
      case "addContact": {
        if (!address.includes("@")) return failed("invalid", "an address looks like name@server");
        const name = command.name ?? address.split("@")[0] ?? address;
        this.#setContact({ ...contact({ address, name, ago: 0, asked: true }) });
        if (talk) this.#change(talk, { request: false, name, shown: true });
        else this.#start(address, name);
        return DONE;
      }
      case "rename": {
        const name = command.name ?? address;
        if (known) this.#setContact({ ...known, name });
        if (talk) this.#change(talk, { name });
        return DONE;
      }
      case "removeContact":
        this.#contacts.delete(address);
        this.#say({ is: "contactRemoved", address });
        return DONE;
      case "answer":
        if (known) this.#setContact({ ...known, asks: false, seesUs: command.accept });
        return DONE;
      case "block":
      case "unblock":
        this.#setContact({ ...(known ?? contact({ address, name: address, ago: 0 })), blocked: command.do === "block" });
        if (command.do === "block" && talk?.conversation.request) this.#change(talk, { shown: false });
        return DONE;
      case "open":
        if (!talk) this.#start(address, known?.name ?? address);
        else if (!talk.conversation.shown) this.#change(talk, { shown: true });
        return this.#open(address);
      case "close":
        if (talk) talk.from = null;
        return DONE;
      case "openAt":
        return talk ? this.#openAt(talk, command.message) : failed("unknown", "no such message");
      case "catchUp":
        if (talk) this.#change(talk, { behind: false });
        return DONE;
      case "older":
        return talk ? this.#older(talk) : DONE;
      case "newer":
        return talk ? this.#newer(talk) : DONE;
      case "markRead":
      case "markAllRead":
        if (talk) this.#change(talk, { unread: 0, mentions: 0 });
        return DONE;
      case "draft":
        if (talk) this.#change(talk, { draft: command.text });
        return DONE;
      case "mute":
        if (talk) this.#change(talk, { mute: command.until });
        return DONE;
      case "notify":
        if (talk) this.#change(talk, { notify: command.messages });
        return DONE;
      case "setWallpaper":
        if (talk) this.#change(talk, { wallpaper: command.wallpaper });
        return DONE;
      case "pin":
        if (talk) this.#change(talk, { pinned: command.pinned });
        return DONE;
      case "hide":
        if (talk) this.#change(talk, { shown: false });
        return DONE;
      case "clearHistory":
        if (talk) this.#clear(talk);
        return DONE;
      case "deleteConversation":
        this.#talks.delete(address);
        this.#say({ is: "conversationRemoved", address });
        return DONE;
      case "setEncryption":
        if (talk) this.#change(talk, { encrypted: command.encrypted });
        return DONE;
    }
    return failed("unknown", `the sample has no ${command.do}`);
  }

  #doMessage(command: Command): Outcome | Promise<Outcome> {
    switch (command.do) {
      case "send":
        return this.#send(command.to, text(command.text), command.replyTo);
      case "sendFile": {
        const { name, size, mediaType, length, picture } = command;
        const file = { name, size, mediaType, uploaded: true, local: command.file, length, picture };
        return this.#send(command.to, { is: "file", file, caption: command.caption, lines: lines(command.caption ?? "") }, command.replyTo, size);
      }
      case "download":
        return this.#download(command.message);
      case "cancelTransfer":
        this.#transfers.delete(command.message);
        return DONE;
      case "correct":
        return this.#edit(command.message, (old) => ({
          ...old,
          content: text(command.text),
          versions: [...old.versions, { until: Date.now(), text: old.content.is === "text" ? old.content.text : "" }],
        }));
      case "retract":
        return this.#edit(command.message, (old) => ({ ...old, content: { is: "retracted" }, reactions: [] }));
      case "react":
        return this.#edit(command.message, (old) => ({
          ...old,
          reactions: [
            ...old.reactions.filter((one) => one.sender !== ME),
            ...(command.emoji.length ? [{ sender: ME, nick: null, emoji: command.emoji, time: Date.now() }] : []),
          ],
        }));
      case "star":
        return this.#edit(command.message, (old) => ({ ...old, starred: command.starred }));
      case "deleteHere": {
        const talk = this.#talkOf(command.message);
        if (!talk) return failed("unknown", "no such message");
        talk.messages = talk.messages.filter((one) => one.id !== command.message);
        this.#say({ is: "messageRemoved", address: talk.conversation.address, message: command.message });
        return DONE;
      }
      case "moderate":
        return this.#edit(command.message, (old) => ({ ...old, content: { is: "retracted" }, reactions: [] }));
      case "retry":
        this.#deliver(command.message);
        return DONE;
    }
    return failed("unknown", `the sample has no ${command.do}`);
  }

  #changeAccount(change: Partial<Account>): Outcome {
    if (!this.#account) return failed("login", "not signed in");
    this.#account = { ...this.#account, ...change };
    this.#say({ is: "account", ...this.#account });
    return DONE;
  }

  #setContact(known: Contact): void {
    this.#contacts.set(known.address, known);
    this.#say({ is: "contact", ...known });
  }

  #change(talk: Talk, change: Partial<Conversation>): void {
    talk.conversation = { ...talk.conversation, ...change };
    this.#say({ is: "conversation", ...talk.conversation });
  }

  #start(address: string, name: string): void {
    this.#meet({ address, name, ago: 0 }, 0);
    const talk = this.#talks.get(address);
    if (talk) this.#change(talk, { preview: null, order: String(Date.now()).padStart(15, "0") });
  }

  #clear(talk: Talk): void {
    const { address } = talk.conversation;
    talk.messages = [];
    talk.from = 0;
    this.#say({ is: "window", address, messages: [], older: false, newer: false, firstUnread: null });
    this.#change(talk, { preview: null, unread: 0, mentions: 0 });
  }

  #open(address: string): Outcome {
    const talk = this.#talks.get(address);
    if (!talk) return failed("invalid", "no such conversation");
    const { messages, conversation } = talk;
    const firstUnread = conversation.unread > 0 ? messages.length - Math.min(conversation.unread, messages.length) : null;
    talk.from = Math.max(0, (firstUnread ?? messages.length) - (this.#options.page ?? 60));
    talk.until = null;
    this.#say({
      is: "window",
      address,
      messages: messages.slice(talk.from),
      older: talk.from > 0,
      newer: false,
      firstUnread: firstUnread === null ? null : (messages[firstUnread]?.id ?? null),
    });
    return DONE;
  }

  #openAt(talk: Talk, id: number): Outcome {
    const at = talk.messages.findIndex((one) => one.id === id);
    if (at < 0) return failed("unknown", "no such message");
    const half = Math.ceil((this.#options.page ?? 60) / 2);
    talk.from = Math.max(0, at - half);
    talk.until = at + half < talk.messages.length ? at + half : null;
    this.#say({
      is: "window",
      address: talk.conversation.address,
      messages: talk.messages.slice(talk.from, talk.until ?? undefined),
      older: talk.from > 0,
      newer: talk.until !== null,
      firstUnread: null,
    });
    return DONE;
  }

  async #newer(talk: Talk): Promise<Outcome> {
    await pause(120);
    const from = talk.until;
    if (from === null) return DONE;
    const until = from + (this.#options.page ?? 60);
    talk.until = until < talk.messages.length ? until : null;
    const messages = talk.messages.slice(from, until);
    this.#say({ is: "newer", address: talk.conversation.address, messages, newer: talk.until !== null });
    return DONE;
  }

  async #older(talk: Talk): Promise<Outcome> {
    await pause(120);
    if (talk.from === null) return DONE;
    const to = talk.from;
    talk.from = Math.max(0, to - (this.#options.page ?? 60));
    const messages = talk.messages.slice(talk.from, to);
    this.#say({ is: "older", address: talk.conversation.address, messages, older: talk.from > 0 });
    return DONE;
  }

  #send(to: string, content: Content, replyTo: number | null, size = 0): Outcome {
    const talk = this.#talks.get(to);
    if (!talk) return failed("invalid", "no such conversation");
    const answered = replyTo === null ? undefined : talk.messages.find((one) => one.id === replyTo);
    const reply = answered && { author: answered.sender, message: answered.id, quote: brief(answered.content) };
    const made = message(talk.person, true, Date.now(), {
      content,
      more: { delivery: { is: "queued" }, reached: [], reply: reply ?? null },
    });
    this.#add(talk, made);
    if (size === 0) this.#deliver(made.id);
    else void this.#transfer(made.id, size).then((there) => there && this.#deliver(made.id));
    return { is: "kept", message: made.id };
  }

  #add(talk: Talk, made: Message): void {
    const { conversation } = talk;
    talk.messages.push(made);
    const open = talk.from !== null && talk.until === null;
    if (open) this.#say({ is: "messages", address: conversation.address, messages: [made] });
    this.#change(talk, {
      preview: previewOf(made),
      draft: made.own ? "" : conversation.draft,
      unread: made.own ? 0 : conversation.unread + 1,
      order: String(made.time).padStart(15, "0"),
      shown: true,
      request: made.own ? false : conversation.request,
    });
  }

  /** On its way, there, read, answered: as long as there is a connection. */
  #deliver(id: number): void {
    if (this.#account?.connection.is !== "online" || this.#talkOf(id)?.person.keyless) return;
    const delivered = { device: 27182, program: "Clownfish", delivered: Date.now() + 700, read: null };
    const steps: [number, Delivery, Reached[]][] = [
      [180, { is: "sent" }, []],
      [700, { is: "delivered" }, [delivered]],
      [1800, { is: "read" }, [{ ...delivered, read: Date.now() + 1800 }]],
    ];
    for (const [after, delivery, reached] of steps) {
      setTimeout(() => void this.#edit(id, (old) => ({ ...old, delivery, reached })), after);
    }
    const talk = this.#talkOf(id);
    if (!talk) return;
    setTimeout(() => this.#change(talk, { typing: [talk.conversation.name] }), 2200);
    setTimeout(() => {
      this.#change(talk, { typing: [] });
      const answer = message(talk.person, false, Date.now(), { text: "That is what I thought, too." });
      this.#add(talk, answer);
      const { address, name, mute } = talk.conversation;
      if (mute.is === "no") this.#say({ is: "notify", address, occasion: "said", title: name, text: brief(answer.content), message: answer.id, waits: false });
    }, 4200);
  }

  #talkOf(id: number): Talk | undefined {
    return [...this.#talks.values()].find((talk) => talk.messages.some((one) => one.id === id));
  }

  #edit(id: number, change: (old: Message) => Message): Outcome {
    const talk = this.#talkOf(id);
    const at = talk?.messages.findIndex((one) => one.id === id) ?? -1;
    const old = talk?.messages[at];
    if (!talk || !old) return failed("invalid", "no such message");
    const made = change(old);
    talk.messages[at] = made;
    const { address } = talk.conversation;
    const inside = talk.from !== null && at >= talk.from && (talk.until === null || at < talk.until);
    if (inside) this.#say({ is: "messages", address, messages: [made] });
    if (old.starred || made.starred) this.#say({ is: "stars" });
    if (at === talk.messages.length - 1) {
      this.#change(talk, { preview: previewOf(made) });
    }
    return DONE;
  }

  async #transfer(id: number, size: number): Promise<boolean> {
    this.#transfers.add(id);
    for (let step = 1; step <= 20; step++) {
      await pause(100);
      if (!this.#transfers.has(id)) return false;
      this.#say({ is: "transfer", message: id, done: Math.round((size * step) / 20) });
    }
    this.#transfers.delete(id);
    return true;
  }

  async #download(id: number): Promise<Outcome> {
    const content = this.#talkOf(id)?.messages.find((one) => one.id === id)?.content;
    if (content?.is !== "file") return failed("invalid", "no file there");
    if (!(await this.#transfer(id, content.file.size ?? 1))) return failed("cancelled", "cancelled");
    const file = { ...content.file, local: `sample:${content.file.name}` };
    this.#edit(id, (old) => ({ ...old, content: { ...content, file } }));
    return { is: "downloaded", file };
  }

  async #search(wanted: string, address: string | null): Promise<Outcome> {
    await pause(60);
    const needles = wanted.toLocaleLowerCase().split(/\s+/);
    const says = (text: string) => needles.every((needle) => text.toLocaleLowerCase().includes(needle));
    return part(this.#find(address, ({ content }) => content.is === "text" && says(content.text)));
  }

  #filesOf(address: string, kinds: FileKind[]): Outcome {
    const fits = ({ content }: Message) => content.is === "file" && kinds.includes(fileKind(content.file.mediaType));
    return part(this.#find(address, fits));
  }

  #find(address: string | null, is: (message: Message) => boolean): Outcome {
    const found = [...this.#talks.entries()]
      .filter(([of]) => address === null || of === address)
      .flatMap(([of, talk]) => talk.messages.map((one) => ({ address: of, message: one })))
      .filter(({ message }) => is(message))
      .sort((a, b) => b.message.time - a.message.time)
      .slice(0, 50);
    return { is: "found", messages: found };
  }
}
