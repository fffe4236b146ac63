// Words of the conversation view.

import { plural } from "../index";

// The header.
export const back = "Back to the list";
export const menu = "More for this chat";
export const activeAgo = "active {time}";
export const online = "online";
export const away = "away";
export const awayLong = "away for a while";
export const busy = "busy";
export const wantsToChat = "free to chat";
export const blocked = "blocked";
export const yourself = "Notes to yourself";
export const you = "You";
export const lockEncrypted = "End-to-end encrypted";
export const lockVerified = "End-to-end encrypted and verified";
export const lockLeftOut = "End-to-end encrypted, but some devices are left out";
export const lockOpen = "Not end-to-end encrypted";
export const find = "Search in this chat";
export const media = "Pictures and files";
export const muted = "Muted";
export const mute = "Mute";
export const mute1h = "Mute for 1 hour";
export const mute8h = "Mute for 8 hours";
export const mute1w = "Mute for 1 week";
export const muteAlways = "Mute always";
export const unmute = "Unmute";
export const pin = "Pin";
export const unpin = "Unpin";
export const details = "Details";
export const block = "Block";
export const unblock = "Unblock";

// Who can read it.
export const readersTitle = "Who can read this chat";
export const readersPlain =
  "What you write here is not end-to-end encrypted: your server and the server of {name} can read it.";
export const readersNone =
  "Messages are encrypted before they leave this device. Which devices of {name} can read them is known once the first one is sent.";
export const readersTheirs = (n: number): string =>
  plural(n, "One device of {name}", "{n} devices of {name}");
export const readersOwn = (n: number): string =>
  plural(n, "Your other device", "{n} other devices of yours");
export const readersThis = "This device";
export const readersNobody = "Nobody else: no server on the way can read it.";
export const readersLeftOut = (n: number): string =>
  plural(
    n,
    "One device is left out: it is not trusted, or has no usable keys.",
    "{n} devices are left out: they are not trusted, or have no usable keys.",
  );
export const readersVerified = "You have verified all devices of {name}.";
export const readersUnverified =
  "You have not compared keys with {name} yet. That makes sure nobody is listening in between.";
export const devices = "Devices and verification";
export const encryptAgain = "Encrypt this chat";

// The timeline.
export const timeline = "Messages with {name}";
export const unread = (n: number): string => (n === 0 ? "Unread messages" : plural(n, "One unread message", "{n} unread messages"));
export const older = "Loading older messages…";
export const olderFailed = "Older messages could not be loaded.";
export const newer = "Loading newer messages…";
export const newerFailed = "Newer messages could not be loaded.";
export const behind = "What was written meanwhile could not be loaded yet.";
export const again = "Try again";
export const beginning = "This is the beginning of your chat with {name}.";
export const beginningEncrypted =
  "Messages are end-to-end encrypted: only you and {name} can read them, no server in between.";
export const hello = "👋";
export const sendHello = "Wave to {name}";
export const latest = "Jump to the latest message";
export const latestNew = (n: number): string =>
  plural(n, "Jump to the latest message, one new", "Jump to the latest message, {n} new");
export const nextMention = (n: number): string =>
  plural(n, "Jump to the message that names you", "Jump to the next of {n} messages that name you");
export const opening = "Opening the chat…";
export const notFoundHere = "That message is no longer here.";
export const searchingOlder = "Looking for the message…";
export const searchingMore = "Still searching…";

// A message.
export const says = "{name}, {time}";
export const replyTo = "In reply to {name}: {text}";
export const edited = "edited";
export const editedTitle = "Edited: show earlier versions";
export const versionsTitle = "Versions of this message";
export const versionNow = "Now";
export const versionUntil = "Until {time}";
export const retracted = "This message was deleted.";
export const retractedOwn = "You deleted this message.";
export const showAll = (n: number): string => plural(n, "Show all", "Show all ({n} characters)");
export const showMore = "Show more";
export const showLess = "Show less";
export const notEncrypted = "not encrypted";
export const queued = "Waiting to be sent";
export const waitsForKeys = "Waiting for the keys of {name}";
export const sent = "Sent: the server has it";
export const delivered = "Delivered to a device";
export const read = "Read";
export const stateDetails = "{state}: details";
export const failed = "Not sent: {reason}";
export const retry = "Try again";
export const discard = "Discard";
export const unavailable = "Message that is not here";
export const picture = "Picture";
export const video = "Video";
export const voice = "Voice message";
export const sound = "Sound";
export const file = "File";
export const reactedBy = "{names}: {emoji}";
export const reactionsOf = "Reactions: {list}";
export const moreReactions = (n: number): string => plural(n, "One more reaction", "{n} more reactions");
export const noReactions = "Nobody has reacted.";
export const addReaction = "React with {emoji}";
export const removeReaction = "Take back {emoji}";

// Why a message cannot be read, and what helps.
export const whyNotForThisDevice =
  "This message was not encrypted for this device: it was sent before the sender knew this device.";
export const whyNoSession =
  "This message cannot be read: this device and the sender’s shared no keys. Ask them to send it again.";
export const whyUnknownKey =
  "This message cannot be read: it was made with a key this device no longer has. Ask them to send it again.";
export const whyForged =
  "This message cannot be trusted: it is damaged, or not from whom it says it is.";
export const whyKeyUsed =
  "Its key is gone: it came too late, or was read already. Ask them to send it again.";
export const whyTooFarAhead =
  "This message cannot be read: too many messages before it are missing. Ask them to send it again.";
export const whyMalformed =
  "This message makes no sense: the program of the sender made a mistake.";
export const whyContradiction =
  "This message cannot be trusted: what is signed in it names another sender or chat.";
export const whyDistrusted = "This message is from a device you do not trust.";
export const whyUnknownEncryption =
  "This message uses an encryption that Clownfish does not know.";
export const repair = "Repair encryption";
export const repaired = "Fresh keys are agreed on. What comes from now on can be read.";

// Things that happened.
export const newDevice = "{name} uses a new device.";
export const newDeviceOwn = "You use a new device.";
export const newDeviceWaits = "{name} uses a new device. It gets nothing until you decide.";
export const newDeviceOwnWaits = "You use a new device. It gets nothing until you decide.";
export const lookAtDevice = "Look at it";
export const gap = "Messages may be missing here: the server no longer has them.";
export const restored =
  "This profile was put back to an earlier state. Encryption with everybody begins anew; what others sent meanwhile may not be readable.";
export const optOut = "{name} asks you to write without encryption.";
export const optOutReason = "{name} asks you to write without encryption: “{reason}”.";
export const optOutDecide = "Nothing is sent until you decide.";
export const keepEncrypting = "Keep encrypting";
export const writePlain = "Write without encryption…";
export const plainTitle = "Write without encryption?";
export const plainText =
  "Your server and the server of {name} will be able to read everything you write here from now on. You can turn encryption on again at any time.";
export const plainConfirm = "Write without encryption";
export const plainWaiting =
  "What waits to be sent stays encrypted: send it without encryption in its menu, or discard it.";
export const sendPlain = "Send without encryption…";
export const sendPlainTitle = "Send this message without encryption?";
export const sendPlainText =
  "All servers on its way will be able to read it. What you write after it is encrypted as before.";
export const sendPlainConfirm = "Send without encryption";
export const cancel = "Cancel";
export const close = "Close";

// What can be done with a message.
export const actions = "Message actions";
export const moreActions = "More";
export const react = "React";
export const moreEmoji = "More emoji";
export const reply = "Reply";
export const copy = "Copy text";
export const copied = "Copied";
export const copyFailed = "The browser did not allow copying.";
export const forward = "Forward…";
export const edit = "Edit";
export const remove = "Delete for everyone…";
export const deleteHere = "Delete on this device…";
export const messageDetails = "Details";
export const star = "Star";
export const unstar = "Remove star";
export const starred = "Starred";
export const select = "Select";
export const save = "Save";
export const removeTitle = (n: number): string =>
  plural(n, "Delete this message for everyone?", "Delete {n} messages for everyone?");
export const removeText = (n: number): string =>
  plural(
    n,
    "The programs of everyone in the chat are asked to delete it. Whoever has read it already may remember it, and some programs may keep it.",
    "The programs of everyone in the chat are asked to delete them. Whoever has read them already may remember them, and some programs may keep them.",
  );
export const removeConfirm = "Delete for everyone";
export const deleteHereTitle = (n: number): string =>
  plural(n, "Delete this message on this device?", "Delete {n} messages on this device?");
export const deleteHereText = (n: number): string =>
  plural(
    n,
    "Only on this device: everyone else in the chat keeps it, and so do your other devices. It cannot be brought back here.",
    "Only on this device: everyone else in the chat keeps them, and so do your other devices. They cannot be brought back here.",
  );
export const deleteHereConfirm = "Delete on this device";
export const discardTitle = "Discard this message?";
export const discardText = "It was never sent. It disappears from this device.";
export const selected = (n: number): string => plural(n, "One selected", "{n} selected");
export const selectMessage = "Select message";
export const copySelected = "Copy";
export const forwardSelected = "Forward";
export const removeSelected = "Delete";
export const endSelection = "End selection";
export const forwardTitle = "Forward to";
export const forwardSearch = "Search people";
export const forwardNobody = "Nobody found.";
export const forwarded = "Forwarded to {name}";
export const forwardedTo = (n: number): string => plural(n, "Forwarded to one chat", "Forwarded to {n} chats");
export const forwardMost = "At most {n} at a time";
export const forwardPlainTitle = "Forward without encryption?";
export const forwardPlainText =
  "This was written end-to-end encrypted. What goes to {name} is not: servers on the way will be able to read it.";
export const forwardPlainConfirm = "Forward without encryption";

// Details of a message.
export const detailsTitle = "About this message";
export const detailFrom = "From";
export const detailTime = "Time";
export const detailState = "State";
export const detailReached = "Devices that have it";
export const reachedDelivered = "Delivered";
export const reachedRead = "Read";
export const detailEncryption = "Encryption";
export const detailDevice = "Written on";
export const detailKey = "Key";
export const detailFile = "File";
export const detailVersions = "Earlier versions";
export const detailReactions = "Reactions";
export const encryptedWith = "End-to-end encrypted (OMEMO)";
export const encryptedLater = "Will be encrypted when it is sent";
export const encryptedNot = "Not encrypted: servers on the way could read it";
export const deviceNamed = "{label} ({id})";
export const deviceUnnamed = "A device";
export const deviceThis = "This device";
export const trustUndecided = "Not decided yet";
export const trustBlind = "Trusted, not verified";
export const trustVerified = "Verified";
export const trustDistrusted = "Not trusted";

// The composer.
export const writeLabel = "Encrypted message";
export const writePlainLabel = "Message, not encrypted";
/** The same, in the field: on a phone it has room for 17 letters. */
export const writePlaceholder = "Encrypted message";
export const writePlainPlaceholder = "Not encrypted";
export const captionPlaceholder = "Add a caption";
export const send = "Send";
export const saveEdit = "Save the change";
export const replyingTo = "Replying to {name}";
export const editing = "Editing a message";
export const stopReply = "Do not reply";
export const stopEdit = "Do not edit";
export const emoji = "Emoji";
export const attach = "Attach";
export const attachMedia = "Picture or video";
export const attachCamera = "Take a picture";
export const attachFile = "File";
export const drop = "Drop files here to send them to {name}";
export const tray = "Files to send";
export const trayRemove = "Remove {name}";
export const trayEmpty = "An empty file cannot be sent.";
export const trayFull = (n: number): string =>
  plural(n, "At most {most} files at a time: one was left out.", "At most {most} files at a time: {n} were left out.");
export const tooLong = (n: number): string =>
  plural(n, "The text is too long by one character. Shorten it, or send it as a file.", "The text is too long by {n} characters. Shorten it, or send it as a file.");
export const asTheyAreTitle = (n: number): string =>
  plural(n, "Send a picture as it is?", "Send {n} pictures as they are?");
export const asTheyAreText =
  "This browser cannot make {names} smaller. What the camera noted in it, which may be the place where it was taken, would be sent as well.";
export const asTheyAreSend = "Send as it is";
export const describe = "Describe {name}";
export const described = "{name}, described: {text}";
export const describeTitle = "Describe the picture";
export const describeLabel = "A description for people who cannot see it";
export const describeHint = "The others get it with the picture.";
export const describeMark = "ALT";
export const quality = "Quality of pictures";
export const qualitySmaller = "Smaller";
export const qualityOriginal = "Original";
export const qualitySmallerHint =
  "At most 2048 pixels a side. What the camera noted in it, such as the place, is removed.";
export const qualityOriginalHint =
  "As it is, with everything the camera noted in it, which may be the place where it was taken.";
export const notSent = "Could not be sent: {reason}";
export const blockedHere = "You have blocked {name}.";
export const strangerBar =
  "{name} is not among your contacts. If you answer, they see that you are here.";
export const strangerAccept = "Add to contacts";
export const plainBar = "Not encrypted: servers on the way can read what you write.";
export const plainBarAction = "Encrypt";
export const leftOutBar = (n: number): string =>
  plural(
    n,
    "One device will not be able to read this.",
    "{n} devices will not be able to read this.",
  );
export const leftOutAction = "Which?";
export const waitsBar =
  "{name} has no keys yet. What you write waits, and goes out by itself, encrypted, once {name} has opened an app that can read it.";
export const nobodyBar =
  "No device of {name} can read encrypted messages yet. Nothing is sent without encryption unless you say so.";

// Voice messages.
export const record = "Record a voice message";
export const recording = "Recording, {time}";
export const recordCancel = "Discard the recording";
export const recordPause = "Pause";
export const recordResume = "Continue recording";
export const recordSend = "Send the voice message";
export const recordSlide = "Slide to cancel";
export const recordLocked = "Still recording. Send or discard it when you are done.";
export const recordBlocked =
  "The microphone is blocked. Allow it for this site in the settings of the browser, usually behind the sign next to the address.";
export const recordMissing = "No microphone was found.";
export const recordUnable = "This browser cannot record sound.";
export const recordShort = "Hold to record, or tap once to keep recording.";
export const recordEnded = "The microphone is gone. What was recorded until then can still be sent.";
export const recordLost = "The microphone went away before anything was recorded.";

// Files in the timeline.
export const fetchSize = "Download ({size})";
export const fetch = "Download";
export const fetchFile = "Download {name}, {size}";
export const fetchFailed = "Could not be downloaded: {reason}";
export const transferring = "{percent} % of {name}";
export const transferWaiting = "Transfer of {name}";
export const transferCancel = "Cancel the transfer";
export const sizeUnknown = "size unknown";
export const viewPicture = "Look at the picture {name}";
export const viewFilm = "Look at the film {name}";
export const broken = "This file cannot be shown. You can still save it.";
export const gone = "This file is no longer on this device.";
export const fetchAgain = "Download again";
export const saveFile = "Save {name}";
export const playFile = "Play {name}, {size}";
export const play = "Play";
export const pause = "Pause";
export const speed = "Speed {speed}";
export const position = "Position";
export const player = "Player";
export const playerShow = "show the message";
export const playerClose = "End playback";
export const galleryTitle = "Pictures and files";
export const galleryEmpty = "No pictures or files in this chat.";
export const galleryMore = "Looking for older ones…";
export const galleryFailed = "Older ones could not be loaded.";
export const viewerNext = "Next";
export const viewerPrevious = "Previous";
export const viewerZoomIn = "Zoom in";
export const viewerZoomOut = "Zoom out";
export const viewerCount = "{n} of {all}";

// Search in the conversation.
export const searchHint = "Search";
export const searchNext = "Next match (older)";
export const searchPrevious = "Previous match (newer)";
export const searchNone = "Nothing found";
export const searchCount = "{n} of {all}";
export const searchClose = "Close search";

// Emoji.
export const emojiTitle = "Choose an emoji";
export const emojiSearch = "Search emoji";
export const emojiNone = "No emoji found.";
export const emojiRecent = "Recent";
export const emojiFailed = "The emoji could not be loaded.";
export const emojiTone = "Skin tone";
export const emojiTones = ["No skin tone", "Light skin tone", "Medium-light skin tone", "Medium skin tone", "Medium-dark skin tone", "Dark skin tone"];
export const emojiGroups = {
  faces: "Smileys",
  people: "People",
  nature: "Animals and nature",
  food: "Food",
  activity: "Activities",
  travel: "Travel",
  things: "Things",
  signs: "Signs",
  flags: "Flags",
};
