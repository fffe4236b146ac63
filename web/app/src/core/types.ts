// Made from web/core/src/page.rs; do not edit. `UPDATE=1 cargo test --workspace --lib types` makes it anew.

export type Request = { 
/**
 * Chosen by the page.
 */
number: number, 
/**
 * What is wanted.
 */
command: Command, };

export type Command = { "do": "signIn", address: string, password: string, } | { "do": "register", address: string, password: string, token: string | null, inviter: string | null, } | { "do": "signOut" } | { "do": "deleteAccount" } | { "do": "deleteServerHistory" } | { "do": "changePassword", password: string, } | { "do": "invite" } | { "do": "setNickname", name: string, } | { "do": "setAvatar", png: string | null, } | { "do": "pushKey" } | { "do": "setPush", subscription: WebPush | null, } | { "do": "setActive", active: boolean, } | { "do": "setPrivacy", privacy: Privacy, } | { "do": "reconnect" } | { "do": "addContact", address: string, name: string | null, } | { "do": "rename", address: string, name: string | null, } | { "do": "removeContact", address: string, } | { "do": "answer", address: string, accept: boolean, } | { "do": "block", address: string, report: boolean, } | { "do": "unblock", address: string, } | { "do": "createRoom", 
/**
 * One that nobody has, on the own server, if there is none.
 */
address: string | null, name: string | null, 
/**
 * Everybody may enter, and nobody learns addresses.
 */
public: boolean, 
/**
 * Who becomes a member and is invited.
 */
people: Array<string>, } | { "do": "joinRoom", address: string, nick: string | null, password: string | null, } | { "do": "leaveRoom", address: string, } | { "do": "destroyRoom", address: string, } | { "do": "inviteToRoom", address: string, person: string, } | { "do": "roomLink", address: string, seconds: number | null, } | { "do": "roomLinks", address: string, } | { "do": "askToJoin", address: string, 
/**
 * The nickname there; the one of the last try to enter if there is none.
 */
nick: string | null, words: string | null, } | { "do": "withdrawJoinRequest", address: string, } | { "do": "answerJoinRequest", address: string, nick: string, person: string | null, allow: boolean, } | { "do": "revokeRoomLinks", address: string, } | { "do": "setAffiliation", address: string, person: string, affiliation: Affiliation, } | { "do": "setRole", address: string, nick: string, role: Role, } | { "do": "setRoomName", address: string, name: string, } | { "do": "setRoomAvatar", address: string, png: string | null, } | { "do": "setSubject", address: string, subject: string, } | { "do": "setRoomNick", address: string, nick: string, } | { "do": "moderate", message: number, reason: string | null, } | { "do": "open", address: string, } | { "do": "openAt", address: string, message: number, } | { "do": "close", address: string, } | { "do": "older", address: string, } | { "do": "newer", address: string, } | { "do": "catchUp", address: string, } | { "do": "markRead", address: string, message: number, } | { "do": "markAllRead", address: string, } | { "do": "draft", address: string, text: string, } | { "do": "mute", address: string, until: Mute, } | { "do": "notify", address: string, messages: Notify, } | { "do": "setWallpaper", address: string, wallpaper: string | null, } | { "do": "pin", address: string, pinned: boolean, } | { "do": "hide", address: string, } | { "do": "clearHistory", address: string, } | { "do": "deleteConversation", address: string, } | { "do": "setEncryption", address: string, encrypted: boolean, } | { "do": "search", text: string, address: string | null, from: string | null, } | { "do": "files", address: string, kinds: Array<FileKind>, from: string | null, } | { "do": "send", to: string, text: string, replyTo: number | null, } | { "do": "sendFile", to: string, file: string, name: string, size: number, mediaType: string, caption: string | null, 
/**
 * What it looks like, if it is a picture.
 */
picture: Picture | null, 
/**
 * How long it plays, in milliseconds, if it does.
 */
length: number | null, replyTo: number | null, } | { "do": "download", message: number, } | { "do": "cancelTransfer", message: number, } | { "do": "correct", message: number, text: string, } | { "do": "retract", message: number, } | { "do": "star", message: number, starred: boolean, } | { "do": "starred", address: string | null, } | { "do": "react", message: number, emoji: Array<string>, } | { "do": "retry", message: number, } | { "do": "sendPlain", message: number, } | { "do": "discard", message: number, } | { "do": "deleteHere", message: number, } | { "do": "trust", address: string, key: string, level: Trust, } | { "do": "verify", uri: string, } | { "do": "removeDevice", id: number, } | { "do": "setDeviceLabel", label: string, } | { "do": "repairEncryption", address: string, } | { "do": "devices", address: string, };

export type FileKind = "picture" | "film" | "sound" | "other";

export type WebPush = { endpoint: string, 
/**
 * Base64url.
 */
p256dh: string, 
/**
 * Base64url.
 */
auth: string, };

export type Notice = { "is": "signedOut" } | { "is": "account" } & Account | { "is": "conversation" } & Conversation | { "is": "conversationRemoved", address: string, } | { "is": "contact" } & Contact | { "is": "contactRemoved", address: string, } | { "is": "room" } & Room | { "is": "roomRemoved", address: string, } | { "is": "window", address: string, 
/**
 * All its messages, oldest first.
 */
messages: Array<Message>, 
/**
 * Whether there are older ones, here or on the server.
 */
older: boolean, 
/**
 * Whether there are newer ones, which do not join the window.
 */
newer: boolean, 
/**
 * The first message not seen yet, when the window was opened.
 */
firstUnread: number | null, } | { "is": "messages", address: string, messages: Array<Message>, } | { "is": "older", address: string, messages: Array<Message>, older: boolean, } | { "is": "newer", address: string, messages: Array<Message>, 
/**
 * Whether there are still newer ones; if not, what is new joins the window from now on.
 */
newer: boolean, } | { "is": "messageRemoved", address: string, message: number, } | { "is": "transfer", message: number, done: number, } | { "is": "stars" } | { "is": "devices", address: string, devices: Array<Device>, } | { "is": "notify", address: string, occasion: Occasion, 
/**
 * From whom; nothing for a stranger.
 */
title: string, 
/**
 * What; nothing for a stranger.
 */
text: string, message: number | null, 
/**
 * It may be seen on another device that is in use, and comes once more when it is due: a
 * page that is stopped before that shows it then.
 */
waits: boolean, } | { "is": "done", number: number, outcome: Outcome, } | { "is": "storage", reason: string, };

export type Occasion = "said" | "stranger";

export type Account = { address: string, connection: Connection, nickname: string | null, 
/**
 * Names the picture for `picture()`.
 */
avatar: string | null, 
/**
 * This device's OMEMO id, once it has keys.
 */
device: number | null, 
/**
 * Messages that wait to be sent.
 */
queued: number, privacy: Privacy, };

export type Privacy = { 
/**
 * That something is being written.
 */
typing: boolean, 
/**
 * What was read.
 */
read: boolean, 
/**
 * Since when nobody looks.
 */
idle: boolean, };

export type Connection = { "is": "offline" } | { "is": "connecting" } | { "is": "catchingUp" } | { "is": "online" } | { "is": "waiting", reason: string, until: number, } | { "is": "refused", reason: string, };

export type Conversation = { address: string, 
/**
 * It is a room, which a notice of its own describes.
 */
room: boolean, name: string, preview: Preview | null, unread: number, 
/**
 * Those of them, in a room, that name this account or answer it.
 */
mentions: number, draft: string, 
/**
 * Who writes, by name, in the order in which they began.
 */
typing: Array<string>, mute: Mute, 
/**
 * Which messages of a room notify while it is not muted.
 */
notify: Notify, pinned: boolean, 
/**
 * What stands behind its messages, where somebody chose.
 */
wallpaper: string | null, 
/**
 * What was missed is not here, because the archive did not answer; it is asked again.
 */
behind: boolean, encrypted: boolean, readers: Readers, 
/**
 * Messages wait here because nobody they are for has keys yet. They leave by themselves.
 */
waitsForKeys: boolean, 
/**
 * From somebody who is not a contact and was never written to; or an invitation to a room.
 */
request: boolean, 
/**
 * Sorts the list: pinned first, then the greatest.
 */
order: string, 
/**
 * In the list.
 */
shown: boolean, };

export type Mute = { "is": "no" } | { "is": "until", time: number, } | { "is": "forever" };

export type Notify = "usual" | "all" | "mentions";

export type Preview = { own: boolean, 
/**
 * In a room, what others who write are called.
 */
author: string | null, text: string, 
/**
 * Somebody's own words, or the name of a file; otherwise the core's, in English.
 */
said: boolean, time: number, delivery: Delivery | null, };

export type Readers = { 
/**
 * Devices of the others that will be able to.
 */
theirs: number, 
/**
 * Other devices of this account that will be able to.
 */
own: number, 
/**
 * Devices that are left out: not trusted, or without usable keys.
 */
leftOut: number, 
/**
 * All devices of the others that will be able to are verified.
 */
verified: boolean, };

export type Contact = { address: string, name: string, inRoster: boolean, seesUs: boolean, seen: boolean, 
/**
 * They ask to see this account's presence.
 */
asks: boolean, 
/**
 * A request of this account waits for them.
 */
asked: boolean, presence: Presence, status: string | null, 
/**
 * When they last looked, if nobody does now and they tell that.
 */
idle: number | null, avatar: string | null, blocked: boolean, };

export type Presence = "chat" | "available" | "away" | "extendedAway" | "busy" | "offline";

export type Message = { id: number, 
/**
 * Orders the messages of a window.
 */
place: string, 
/**
 * Who wrote it; in a room that hides addresses, the room.
 */
sender: string, 
/**
 * What the room calls who wrote it.
 */
nick: string | null, own: boolean, time: number, content: Content, encryption: Encryption, 
/**
 * `None` for what others wrote.
 */
delivery: Delivery | null, 
/**
 * What devices of whom it was written to told of it.
 */
reached: Array<Reached>, reply: Reply | null, reactions: Array<Reaction>, 
/**
 * This account wants to find it again.
 */
starred: boolean, 
/**
 * Earlier texts, the oldest first, with when they were replaced.
 */
versions: Array<Earlier>, };

export type Content = { "is": "text", 
/**
 * As it was written: for copying and correcting.
 */
text: string, 
/**
 * As it is drawn.
 */
lines: Array<Line>, 
/**
 * `/me`: what comes after the sender's name.
 */
action: boolean, } | { "is": "file", file: File, 
/**
 * As it was written.
 */
caption: string | null, 
/**
 * As it is drawn.
 */
lines: Array<Line>, } | { "is": "retracted" } | { "is": "undecryptable", why: Undecryptable, } | { "is": "newDevice", owner: string, device: number, key: string, trusted: boolean, } | { "is": "gap" } | { "is": "restored" } | { "is": "invited", by: string, reason: string | null, } | { "is": "declined", by: string, reason: string | null, } | { "is": "asks", nick: string, address: string | null, } | { "is": "room", happenings: Array<Happening>, } | { "is": "optOut", reason: string | null, };

export type Line = { 
/**
 * How many quotations it is in.
 */
quote: number, preformatted: boolean, spans: Array<Span>, };

export type Span = { text: string, strong: boolean, emphasis: boolean, strike: boolean, preformatted: boolean, 
/**
 * An address that can be opened: `http:`, `https:`, `xmpp:`, `mailto:`, `tel:` or `geo:`.
 */
link: string | null, };

export type File = { name: string, size: number | null, mediaType: string | null, 
/**
 * It is on the server, and can be fetched.
 */
uploaded: boolean, 
/**
 * It is here: names it for `file()`.
 */
local: string | null, 
/**
 * How long it plays, in milliseconds, if that was told.
 */
length: number | null, 
/**
 * What it looks like, if that was told.
 */
picture: Picture | null, };

export type Picture = { 
/**
 * Pixels; 0 if they were not told.
 */
width: number, height: number, 
/**
 * A small picture: `data:image/jpeg;base64,…`, or `image/png`, or `image/webp`.
 */
thumbnail: string | null, 
/**
 * What is to be seen, in words.
 */
description: string | null, };

export type Undecryptable = "notForThisDevice" | "noSession" | "unknownKey" | "forged" | "keyUsed" | "tooFarAhead" | "malformed" | "contradiction" | "distrusted" | "unknownEncryption";

export type Encryption = { "is": "none" } | { "is": "omemo", device: number, trust: Trust, };

export type Trust = "undecided" | "blind" | "verified" | "distrusted";

export type Delivery = { "is": "queued" } | { "is": "sent" } | { "is": "delivered" } | { "is": "read" } | { "is": "failed", reason: string, };

export type Reached = { 
/**
 * Its OMEMO id, if it told it encrypted.
 */
device: number | null, 
/**
 * What its program calls itself.
 */
program: string | null, 
/**
 * Since when it is there.
 */
delivered: number | null, 
/**
 * When it was seen there.
 */
read: number | null, };

export type Reply = { author: string | null, 
/**
 * The message, if it is here.
 */
message: number | null, 
/**
 * What it says, in short.
 */
quote: string | null, };

export type Reaction = { sender: string, 
/**
 * What the room calls them.
 */
nick: string | null, emoji: Array<string>, time: number, };

export type Earlier = { until: number, text: string, };

export type Room = { address: string, name: string, 
/**
 * What is talked about.
 */
subject: string | null, 
/**
 * Names its picture for `picture()`.
 */
avatar: string | null, 
/**
 * What the room calls this account, while it is in it.
 */
nick: string | null, state: RoomState, 
/**
 * Who invited this account, while that is not answered.
 */
invitedBy: string | null, 
/**
 * For members only, and they know each other's addresses: what is written can be encrypted.
 */
private: boolean, 
/**
 * It gives this account links that make whoever follows them a member.
 */
links: boolean, 
/**
 * Who asks to become a member, for who decides about that.
 */
requests: Array<JoinRequest>, 
/**
 * When this account asked to become a member, while that is not decided as far as is known.
 */
asked: number | null, 
/**
 * What this account is in it, while it is in it.
 */
affiliation: Affiliation, 
/**
 * What it may do.
 */
role: Role, 
/**
 * Who is there, then the members who are not, as far as the room tells.
 */
members: Array<Member>, };

export type JoinRequest = { 
/**
 * The nickname they want; with the address it names the request.
 */
nick: string, 
/**
 * Their address, where the room tells it.
 */
address: string | null, 
/**
 * What they say of themselves.
 */
words: string | null, };

export type RoomLink = { link: string, 
/**
 * How long it is good for yet, in seconds, if the room tells.
 */
seconds: number | null, 
/**
 * How many may come with it yet; everybody if the room tells no number.
 */
uses: number | null, };

export type RoomState = { "is": "out" } | { "is": "invited" } | { "is": "entering" } | { "is": "in" } | { "is": "refused", reason: string, };

export type Member = { 
/**
 * The nickname; `None` when they are not there.
 */
nick: string | null, 
/**
 * The address, where the room tells it.
 */
address: string | null, affiliation: Affiliation, role: Role, 
/**
 * Titles that the room gives them (XEP-0317).
 */
hats: Array<string>, };

export type Affiliation = "outcast" | "none" | "member" | "admin" | "owner";

export type Happening = { time: number, 
/**
 * What the room calls whom it is about, as far as is known.
 */
nick: string | null, 
/**
 * Their address, where the room tells it.
 */
address: string | null, what: Happened, };

export type Happened = { "is": "joined" } | { "is": "left" } | { "is": "removed" } | { "is": "putOut", reason: string | null, } | { "is": "banned", reason: string | null, } | { "is": "affiliation", affiliation: Affiliation, } | { "is": "role", role: Role, } | { "is": "nick", nick: string, } | { "is": "subject", subject: string | null, } | { "is": "name", name: string, } | { "is": "picture" };

export type Role = "none" | "visitor" | "participant" | "moderator";

export type Device = { id: number, 
/**
 * This one.
 */
this: boolean, label: string | null, 
/**
 * Its identity key, 64 hexadecimal digits, once known.
 */
key: string | null, 
/**
 * The key as people compare it.
 */
fingerprint: string | null, trust: Trust, 
/**
 * In the published list now.
 */
active: boolean, lastUsed: number | null, 
/**
 * In the list, and not heard of for 90 days: nobody may have it any more.
 */
unused: boolean, };

export type Found = { address: string, message: Message, };

export type Outcome = { "is": "done" } | { "is": "kept", message: number, } | { "is": "sent", message: number, } | { "is": "text", text: string, } | { "is": "verified", count: number, } | { "is": "found", messages: Array<Found>, } | { "is": "part", messages: Array<Found>, 
/**
 * Where the next part begins; nothing when everything was looked at.
 */
next: string | null, } | { "is": "devices", devices: Array<Device>, } | { "is": "downloaded", file: File, } | { "is": "room", address: string, } | { "is": "links", links: Array<RoomLink>, } | { "is": "withdrawn", count: number, } | { "is": "failed", problem: Problem, };

export type Problem = { 
/**
 * Sorted by what helps.
 */
kind: ProblemKind, 
/**
 * In words, English.
 */
words: string, };

export type ProblemKind = "unknown" | "invalid" | "notEncryptable" | "refused" | "timeout" | "login" | "unreachable" | "nameTaken" | "notInvited" | "unsupported" | "transfer" | "storage" | "restarted" | "cancelled";
