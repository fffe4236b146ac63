// Words of groups and channels.

import { plural } from "../index";

export const newGroup = "New group";
export const newGroupHint = "Private and encrypted, with people you choose";
export const joinChannel = "Join a channel";
export const joinChannelHint = "By its address or a link";
export const newChannel = "New channel";
export const newChannelHint = "Open to everybody who has its address";

export const create = {
  name: "Name of the group",
  nameHint: "Everybody in it sees it. Without one it is called after its people.",
  channelName: "Name of the channel",
  channelNameHint: "What it is about",
  channelText: "Everybody who has its address can enter and read. It is not encrypted, and nobody learns the addresses of the others.",
  people: "Who is in it",
  chosen: (n: number) => plural(n, "{n} person chosen", "{n} people chosen"),
  make: "Make the group",
  makeChannel: "Make the channel",
  nameMissing: "A channel needs a name.",
};

export const picker = {
  search: "Find a contact, or type an address",
  add: "Add {address}",
  nobody: "Nobody of that name among your contacts. A whole address works as well.",
  empty: "No contacts yet. Type the address of whom you want to add.",
  remove: "Remove {name}",
  rest: (n: number) => plural(n, "And {n} more: type a few letters of the name.", "And {n} more: type a few letters of the name."),
};

export const join = {
  title: "Join a channel",
  address: "Address or link",
  addressHint: "Like garden@conference.example.org",
  nick: "Your name there",
  nickHint: "Without one you are called as in your profile.",
  password: "Password",
  passwordHint: "Whoever told you of the channel knows it.",
  enter: "Join",
  open: "Open",
  groupTitle: "Join a group",
  group: "Join the group “{name}”?",
  groupText: "Everybody in it sees your name and, in a private group, your address.",
  other: "Another group or channel",
  wrong: "This is neither the address of a channel nor a link to one.",
  person: "This leads to a person. Start a chat with them instead.",
};

// The state of a group, in the list, the header and above the field.
export const members = (n: number) => plural(n, "{n} member", "{n} members");
export const present = (n: number) => plural(n, "{n} here", "{n} here");
export const you = "you";
export const entering = "Entering…";
export const outside = "You are not in it";
export const invites = "{name} invites you";
export const typing = "{name} is typing…";
export const typingTwo = "{name} and {other} are typing…";
export const typingMore = (n: number) => plural(n, "{name} and {n} other are typing…", "{name} and {n} others are typing…");
export const somebody = "Somebody";
export const group = "Group";
export const channel = "Channel";
export const mentionsMark = (n: number) => plural(n, "You are mentioned", "You are mentioned {n} times");

export const invitation = {
  title: "{name} invites you to this group",
  reason: "“{reason}”",
  unknown: "{name} is not one of your contacts.",
  accept: "Join",
  decline: "Decline",
  declined: "You declined the invitation",
};
export const gate = {
  out: "You are not in this group.",
  outAction: "Join again",
  refused: "You are not in this group: {reason}",
  refusedAction: "Try again",
  reads: "You can read here, but not write.",
  remove: "Hide",
};

// Messages.
export const mention = "Mention {name}";
export const mentionList = "Who to mention";
export const memberMenu = "What can be done about {name}";
export const writeTo = "Write to {name}";
export const moderate = "Delete for everyone…";
export const moderateTitle = "Delete this message of {name} for everyone?";
export const moderateText = "The group takes it away from everybody. Whoever has read it already may remember it.";
export const invitedLine = "{name} invited you.";
export const invitedLineReason = "{name} invited you: “{reason}”.";
export const declinedLine = "{name} declined the invitation.";
export const asksLine = "“{name}” ({address}) asks to be let in.";
export const asksLineUnknown = "“{name}” (address unknown) asks to be let in.";
export const declinedLineReason = "{name} declined the invitation: “{reason}”.";
export const beginning = "This is the beginning of {name}.";
export const beginningOpen = "Everybody who enters can read along. Nothing here is encrypted.";
export const beginningPrivate = "Only the members can read what is written here. Not even the server can.";
export const placeholderOpen = "To everybody here";
export const writeOpenLabel = "Message to everybody here, not encrypted";

// What changes.
export const happenings = {
  earlier: (n: number) => plural(n, "{n} earlier change", "{n} earlier changes"),
  joined: "{name} joined",
  left: "{name} left",
  removed: "{name} is no longer a member",
  putOut: "{name} was kicked out",
  putOutReason: "{name} was kicked out: “{reason}”",
  banned: "{name} was banned",
  bannedReason: "{name} was banned: “{reason}”",
  became: {
    owner: "{name} is an owner now",
    admin: "{name} is an admin now",
    member: "{name} is a member now",
    none: "{name} has no special rights any more",
    outcast: "{name} was banned",
  },
  youBecame: {
    owner: "You are an owner now",
    admin: "You are an admin now",
    member: "You are a member now",
    none: "You have no special rights any more",
    outcast: "You were banned",
  },
  may: {
    moderator: "{name} is a moderator now",
    participant: "{name} can write now",
    visitor: "{name} can only read now",
    none: "{name} was kicked out",
  },
  youMay: {
    moderator: "You are a moderator now",
    participant: "You can write now",
    visitor: "You can only read now",
    none: "You were kicked out",
  },
  nick: "{old} is called {name} now",
  subject: "The subject is now “{subject}”",
  subjectBy: "{name} changed the subject to “{subject}”",
  noSubject: "There is no subject any more",
  name: "It is called {name} now",
  picture: "It has another picture now",
};

// Who can read it.
export const readers = {
  open: "This channel is open to everybody, or does not say who is in it. So nobody can tell for whom to encrypt, and everybody who enters can read along, as can the servers on the way.",
  none: "No device of the others is known yet.",
  theirs: (n: number) => plural(n, "{n} device of the other members", "{n} devices of the other members"),
  unverified: "Not all devices of the members are verified. Compare fingerprints in the details of each of them to be sure.",
  verified: "All devices of the members are verified.",
  details: "Members",
  opened: "The group is open to everybody now, so nothing can be encrypted for its members alone. Nothing is sent without encryption unless you say so.",
  nobody: "No device of the other members can read encrypted messages yet. Nothing is sent without encryption unless you say so.",
  waits: "Nobody else here has keys yet. What you write waits, and goes out by itself, encrypted, once somebody can read it.",
  plainText: "Everybody who enters, and the servers on the way, will be able to read what you write here from now on. You can turn encryption on again at any time.",
};

export const details = {
  rename: "Rename",
  renameTitle: "Change the name",
  renameLabel: "Name of the group",
  pictureSaved: "The picture is changed",
  pictureRemoved: "The picture is removed",
  title: "Group details",
  titleChannel: "Channel details",
  copyAddress: "Copy address",
  subject: "Subject",
  noSubject: "No subject",
  setSubject: "Change the subject",
  subjectLabel: "What is talked about",
  subjectHint: "Everybody in it sees it.",
  message: "Message",
  encryption: "Encryption",
  encrypted: "Encrypted for the members",
  open: "Open: cannot be encrypted",
  plain: "Not encrypted, as you chose",
  turnOn: "Encrypt again",
  members: "Members",
  invite: "Invite people",
  inviteTitle: "Invite to {name}",
  inviteAction: (n: number) => plural(n, "Invite {n} person", "Invite {n} people"),
  invited: (n: number) => plural(n, "{n} person is invited", "{n} people are invited"),
  byLink: "Invite by link",
  byLinkHint: "Also people whose address you do not know. They need an account.",
  link: "Link to it",
  linkHint: "It leads here whoever may come in",
  code: "Show as a code",
  codeLabel: "The channel as a QR code",
  nick: "Your name here",
  nickLabel: "Name",
  nickHint: "How the others see you",
  notifications: "Notifications",
  notifyAll: "Of every message",
  notifyMentions: "Only when somebody names you or answers you",
  notifyNone: "Of nothing",
  media: "Media",
  options: "Options for {name}",
  hide: "Hide",
  hideHint: "A new message brings it back",
  leave: "Leave",
  leaveTitle: "Leave {name}?",
  leaveText: "On all your devices. What was written stays on this one. To come back into a private group, somebody has to invite you again.",
  leaveLast: "You are its only owner. Without one nobody can invite or remove people any more: make somebody else an owner first, or close it.",
  left: "You left {name}",
  destroy: "Close for everybody",
  destroyTitle: "Close {name} for everybody?",
  destroyText: "Nobody can enter or write any more. This cannot be undone.",
  destroyed: "{name} is closed",
  more: "Show all",
};

export const member = {
  you: "you",
  here: "here now",
  away: "not here now",
  owner: "Owner",
  admin: "Admin",
  member: "Member",
  moderator: "Moderator",
  visitor: "Reads only",
  outcast: "Banned",
  none: "",
  actions: "Actions for {name}",
  write: "Write to {name}",
  profile: "Contact details",
  makeOwner: "Make owner",
  makeAdmin: "Make admin",
  makeMember: "Make member",
  makeMemberAgain: "Make an ordinary member",
  makeModerator: "Make moderator",
  takeModerator: "No longer moderator",
  mute: "Let only read",
  unmute: "Let write again",
  remove: "Remove",
  removeTitle: "Remove {name}?",
  removeText: "They are no longer a member and get nothing more from now on.",
  kick: "Kick out",
  kickTitle: "Kick {name} out?",
  kickText: "They can come back.",
  ban: "Ban",
  banTitle: "Ban {name}?",
  banText: "They are kicked out and cannot come back.",
};

export const groupLink = {
  title: "Link to {name}",
  text: "For a week, whoever has the link can come in, becomes a member and reads what is written from then on. It can be passed on: give it to people you trust.",
  textPlain: "For a week, whoever has the link can come in, becomes a member and can read what is written, and was written before as far as the group keeps it: it is not encrypted. It can be passed on: give it to people you trust.",
  existing: "Links that are good",
  goodFor: "Good for {time}",
  goodUntil: "Good until it is withdrawn",
  uses: (n: number) => plural(n, "for {n} person", "for {n} people"),
  tooMany: "This group has as many links as it can. Give one of them away again, or withdraw them all.",
  make: "Make a link",
  made: "The link is made.",
  codeLabel: "The link as a QR code",
  shareText: "Come into {name}:",
  withdraw: "Withdraw all links",
  withdrawTitle: "Withdraw all links to {name}?",
  withdrawText: "Links given out before stop working, whoever made them. Members stay members.",
  withdrawAction: "Withdraw",
  withdrawn: (n: number) => (n === 0 ? "There was no link to withdraw" : plural(n, "{n} link is withdrawn", "{n} links are withdrawn")),
};

export const asking = (n: number) => plural(n, "{n} person asks to be let in", "{n} people ask to be let in");
export const requests = {
  title: "Requests to join",
  noAddress: "Address unknown",
  admit: "Let in",
  refuse: "Decline",
  admitSomebody: "Let {name} in",
  refuseSomebody: "Do not let {name} in",
  admitted: "{name} is a member now",
  refused: "{name} is not let in",
  gone: "Somebody else has answered this request already.",
  ask: "Ask to be let in",
  askTitle: "Ask to be let in?",
  words: "A few words about you (optional)",
  wordsHint: "Whoever decides sees them, your name and your address.",
  send: "Send request",
  askedOn: "You asked to be let in: {time}. An admin decides.",
  takeBack: "Take the request back",
  takenBack: "The request is taken back",
  answer: "Answer",
  asked: "Request sent. An admin decides.",
};
