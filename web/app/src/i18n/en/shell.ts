import { plural } from "../index";

export const back = "Back";
export const cancel = "Cancel";
export const close = "Close";
export const dismiss = "Dismiss";
export const details = "Details";
export const more = "More";
export const send = "Send";
export const share = "Share";
export const later = "Later";
export const notNow = "Not now";
export const allow = "Allow";
export const reload = "Reload";
export const failed = "That did not work: {reason}";
export const password = "Password";
export const showPassword = "Show password";
export const hidePassword = "Hide password";
export const copied = "Copied";
export const copyRefused = "The browser does not let the page copy. Mark the text and copy it yourself.";

export const conversations = "Chats";
export const newChat = "New chat";
export const yourProfile = "Your profile";
export const filter = "Show";
export const filterAll = "All";
export const filterGroups = "Groups";
export const filterMuted = "Muted";
export const filterHidden = "Hidden";
export const filterUnread = "Unread";
export const filterUnreadCount = (n: number) => plural(n, "Unread ({n})", "Unread ({n})");
export const allRead = "All read";
export const allReadText = "Nothing waits for you here.";
export const nobody = "Nobody here yet";
export const nobodyText = "Invite your friends, or add somebody who already has an address. What you write to each other is encrypted from device to device.";
export const inviteSomebody = "Invite people";
export const addContact = "Add by address";
export const requests = "Message requests";
export const requestsCount = (n: number) => plural(n, "{n} person wants to talk to you", "{n} people want to talk to you");

export const you = "You:";
export const draft = "Draft:";
export const typing = "typing…";
export const nothingYet = "No messages yet";
export const online = "online";
export const mutedMark = "muted";
export const pinnedMark = "pinned";
export const unreadCount = (n: number) => plural(n, "{n} unread message", "{n} unread messages");
export const wrote = "{name} wrote. Unread: {n}";
export const news = "News";
export const time = {
  now: "now",
  minutes: (n: number) => plural(n, "{n} min", "{n} min"),
  yesterday: "Yesterday",
};
export const delivery = {
  queued: "waiting to be sent",
  sent: "sent",
  delivered: "delivered",
  read: "read",
  failed: "not sent",
};

export const menuOf = "Actions for {name}";
export const markRead = "Mark as read";
export const pin = "Pin";
export const unpin = "Unpin";
export const mute = "Mute";
export const unmute = "Unmute";
export const muteFor = "Mute {name} for";
export const muteHour = "1 hour";
export const muteHours = "8 hours";
export const muteWeek = "1 week";
export const muteForever = "Always";
export const hide = "Hide";
export const hideHint = "A new message brings it back";
export const unhide = "Show in the list";
export const clearHistory = "Clear history…";
export const clearTitle = "Clear the history with {name}?";
export const clearText =
  "All messages in it, and the pictures and files kept with them, are deleted from this device. Only here: the others keep theirs, and so do your other devices. They cannot be brought back here, and what was not sent yet is not sent.";
export const clearAction = "Clear history";
export const cleared = "The history with {name} is cleared on this device";
export const deleteChat = "Delete chat…";
export const deleteTitle = "Delete the chat with {name}?";
export const deleteAction = "Delete chat";
export const deleted = "The chat with {name} is deleted on this device";
export const undo = "Undo";
export const hidden = "{name} is hidden until somebody writes";
export const block = "Block";
export const blockTitle = "Block {name}?";
export const blockText = "You will no longer get messages from this address, and it will not see when you are online. It is not told.";
export const blocked = "{name} is blocked";
export const unblock = "Unblock";
export const unblockSomebody = "Unblock {name}";
export const unblocked = "{name} is no longer blocked";

export const starred = "Starred messages";
export const starredOf = "Starred: {name}";
export const starredNone = "No starred messages";
export const starredNoneText = "Give a message a star in its menu, to find it again here.";
export const starredHint = "Stars are yours alone. Your other devices get them encrypted; nobody else learns of them.";
export const unstar = "Remove star";
export const unstarThat = "Remove star: {text}";
export const starredBusy = "Looking for starred messages…";
export const starredFailed = "The starred messages cannot be shown";
export const starredAgain = "Try again";

export const search = "Search";
export const searchLabel = "Search people, chats and messages";
export const clearSearch = "Clear search";
export const hiddenChats = "Hidden chats";
/** Other words by which it is found. */
export const hiddenChatsAlso = "archive archived";
export const mutedChats = "Muted chats";
export const mutedChatsAlso = "silent quiet";
export const searchCut = "The search was cut short, because Clownfish had to start again.";
export const searchAgain = "Try again";
export const searching = "Searching…";
export const people = "People";
export const chats = "Other chats";
export const messages = "Messages";
export const nothingFound = "Nothing found";
export const nothingFoundText = "Try fewer or other letters.";
export const foundCount = (n: number) => plural(n, "{n} result", "{n} results");
export const jump = "Go to";
export const jumpHint = "Name, address or page";

export const nothingOpen = "Choose a chat";
export const nothingOpenText = "Or press Ctrl K and type a few letters of a name.";
export const nothingOpenApple = "Or press ⌘ K and type a few letters of a name.";

export const connection = {
  connecting: "Connecting…",
  catchingUp: "Loading what you missed…",
  offline: "You are offline. What you write is sent when you are back.",
  waiting: "No connection: {reason}.",
  again: (n: number) => plural(n, "Next try in {n} second.", "Next try in {n} seconds."),
  tryNow: "Try now",
  refused: "The server does not let this device in: {reason}",
  signIn: "Sign in again",
};
export const signInAgainText = "Enter the password of {address}. Your chats stay as they are on this device.";
export const wrongPassword = "The password is not right.";
export const storageProblem = "Nothing can be kept on this device: {reason}";
export const storageHelp = "Make room on the device, clear the history of chats, or close other windows. Until then, what arrives stays on the server.";
export const update = "A new version is ready.";
export const updateNow = "Update";

export const clock = {
  ahead: "The clock of this device is {time} fast. Messages may stand under wrong times.",
  behind: "The clock of this device is {time} slow. Messages may stand under wrong times.",
  minutes: (n: number) => plural(n, "{n} minute", "{n} minutes"),
  hours: (n: number) => plural(n, "{n} hour", "{n} hours"),
  days: (n: number) => plural(n, "{n} day", "{n} days"),
};

export const starting = "Starting…";
export const elsewhere = "Clownfish is open in another tab";
export const elsewhereText = "Only one tab at a time can have your account. The other one will let go of it.";
export const useHere = "Use here";
export const updateTitle = "Update now?";
export const updateUnsent = "A voice message, files or a change of a message that were not sent yet are lost with it. Send them first to keep them.";
export const failedTitle = {
  unsupported: "This browser cannot run Clownfish",
  load: "Clownfish could not be loaded",
  altered: "Clownfish did not load correctly",
  busy: "Another window still has your chats",
  storage: "Your chats cannot be opened",
  damaged: "Your chats cannot be opened",
  crashed: "Clownfish has stopped",
};
export const failedText = {
  unsupported: "It needs file storage for web pages. Private windows often have none: try a normal window, or a current Firefox, Chrome, Edge or Safari.",
  load: "A part of the app did not come over the network. Your messages are kept on this device. Reload when you are online.",
  altered: "A part of the app is not what this version consists of, so it was not run. Your messages are kept on this device. Reload in a while; if that does not help, tell whoever runs the server.",
  busy: "It has not let go of them yet. Close other windows of Clownfish, then reload.",
  storage: "The browser refuses access to what is kept on this device. Make room on the device, then reload.",
  damaged: "What is kept on this device is damaged and cannot be read. Reload first; if that does not help, begin anew.",
  crashed: "Nothing is lost: your messages are kept on this device. Reload to go on.",
};
export const lostTitle = "What was kept on this device is gone";
export const lostText = "The browser emptied its storage, or somebody cleared it: the messages and keys that Clownfish kept here are deleted. This does not delete your account on the server, and messages are on your other devices, and on the server as long as it keeps them. Sign in again to go on: this becomes a new device, which cannot read what was encrypted before. Or make another account with an invitation.";
export const lostAction = "Sign in again";
export const eraseAction = "Erase and sign in again";
export const eraseTitle = "Erase everything on this device?";
export const eraseText = "All messages, files and keys that Clownfish keeps in this browser are deleted. Messages that only this device could read are lost; everything else comes back from the server when you sign in.";
export const erase = "Erase";
export const crashed = "Something went wrong on this page";
export const crashedText = "Nothing is lost: your messages are kept on this device. Reload to go on.";
export const crashedDetails = "What happened";

export const titleUnread = "({n}) Clownfish";
export const notifications = "Notifications";
export const notifyOffer = "Would you like to be notified when somebody writes?";
export const turnOn = "Turn on";
export const notifyHidden = "New message";
export const notifyStranger = "A message from somebody new";
export const notifyStrangerText = "They hear nothing of you until you answer.";
export const notifyCount = "{name} ({n})";
export const notifyReply = "Reply";
export const notifyReplyHint = "Message";
export const wokenMessage = "New message";
export const wokenCall = "Somebody called";
export const wokenRequest = "Somebody wants to be in touch";
export const notify = "Notify me of messages";
export const notifyHint = "Not of muted chats, and not of the one you are looking at";
export const notifyText = "Show what was written";
export const notifyTextHint = "Otherwise only that there is something new";
export const sound = "Play a sound";
export const notifyOpen = "Notifications come while Clownfish is open in a tab or window, even one in the background, and otherwise where the server can wake this browser.";
export const permission = {
  granted: "Notifications are allowed",
  default: "Notifications are not allowed yet",
  denied: "Notifications are blocked",
  unsupported: "This browser has no notifications",
};
export const permissionHint = {
  granted: "By this browser, for this site",
  default: "The browser will ask you",
  denied: "Allow them in the browser’s settings for this site: the icon beside the address",
  unsupported: "On iPhone and iPad, add Clownfish to the Home Screen first",
};

export const keyboard = "Keyboard shortcuts";
export const keyNames = { control: "Ctrl", alt: "Alt", shift: "Shift", enter: "Enter" };
export const keys = {
  jump: "Go to a chat or page",
  nextUnread: "Next unread chat",
  nextChat: "Next or previous chat",
  search: "Search",
  move: "Move in a list",
  open: "Open",
  menu: "Actions for a chat or message",
  send: "Send",
  newLine: "New line",
  editLast: "Edit the last message (field is empty)",
  leave: "Close, or one level up",
  help: "This help",
};

export const settings = "Settings";
export const appearance = "Appearance";
export const theme = "Theme";
export const themeSystem = "System";
export const themeLight = "Light";
export const themeDark = "Dark";
export const textSize = "Text size";
export const textSmall = "Small";
export const textNormal = "Normal";
export const textLarge = "Large";
export const textLargest = "Largest";
export const languageLabel = "Language";
export const systemLanguage = "System";
export const plainKeys = "Keys without Ctrl";
export const plainKeysHint = "“?” shows all keys, “/” searches";
export const oneSide = "All messages on one side";
export const oneSideHint = "Yours are told apart by their colour";
export const wallpaper = "Behind the messages";
export const wallpaperHere = "Behind the messages of this chat";
export const wallpaperUsual = "As in all chats";
export const wallpapers = {
  plain: "Plain",
  rose: "Rose",
  meadow: "Meadow",
  sea: "Sea",
  dusk: "Dusk",
  dots: "Dots",
  lines: "Lines",
};
export const writing = "Writing";
export const enterSends = "Enter sends the message";
export const enterSendsOn = "Shift and Enter make a new line";
export const enterSendsOff = "Enter makes a new line; Ctrl and Enter send";

export const privacy = "Privacy";
export const blockedPeople = "Blocked people";
export const nobodyBlocked = "Nobody is blocked";
export const nobodyBlockedHint = "Block somebody from their details or from the menu of a chat";
export const shownToContacts = "What your contacts see";
export const showTyping = "That you are typing";
export const showTypingHint = "While you write to them";
export const showRead = "That you have read something";
export const showReadHint = "The second tick turns blue for them. Your own devices know it either way.";
export const showIdle = "When you were last here";
export const showIdleHint = "Contacts read “active 5 minutes ago” once you have not looked at Clownfish for 5 minutes. Off: they only see whether you are online.";
export const whoSees = "Who sees what";
export const seesMessages = "Your messages";
export const seesMessagesHint = "You and the people you write to, when a chat is encrypted. The server passes on what it cannot read.";
export const seesStore = "What is kept on this device";
export const seesStoreHint = "It is encrypted with a key that only this browser has.";
export const seesPresence = "Whether you are online";
export const seesPresenceHint = "Only contacts you have agreed to.";

export const storage = "Storage";
export const storageUsed = "{used} used of {room} that the browser allows";
export const storageFree =
  "To make room, clear the history of chats or delete them, in the menu of each. The pictures and files kept with them go as well.";
export const kept = "Your chats are kept for good";
export const keptHint = "The browser does not clear them by itself";
export const notKept = "The browser may clear your chats";
export const notKeptHint = "When the device gets full or the site is not used for long";
export const keep = "Keep them";
export const keepRefused = "The browser did not agree. Installing the app or allowing notifications often helps.";
export const fetchLabel = "Download pictures and voice messages automatically";
export const fetchAlways = "Always";
export const fetchUnmetered = "Not on mobile data";
export const fetchNever = "Never";
export const fetchHint = "Up to 1 MB. Larger ones, videos and other files are downloaded when you press them, and so is everything in channels and from people you have not answered.";
export const fetchUntold = "This browser does not say whether it uses mobile data: so nothing is downloaded automatically.";
export const storageSealed = "Messages and files are stored encrypted, on this device only.";

export const inviteText = "For somebody who has no account yet. The link leads here, and a minute later the two of you can write.";
export const makeInvite = "Make an invitation";
export const anotherInvite = "Another one";
export const inviteOnce = "Each invitation is for one person.";
export const inviteQr = "The invitation as a QR code";
export const copyLink = "Copy link";
export const shareText = "Write to me on Clownfish:";

export const devices = "Devices";
export const account = "Account";
export const address = "Address";
export const changePassword = "Change password";
export const newPassword = "New password";
export const passwordHint = "At least 8 characters. Several words in a row are easy to remember.";
export const passwordShort = "At least {n} characters.";
export const passwordChanged = "The password is changed";
export const signOut = "Sign out";
export const signOutHint = "Deletes everything Clownfish keeps on this device";
export const signOutTitle = "Sign out and delete everything here?";
export const signOutText = "All messages, files and keys of this account are deleted from this device. Messages that only this device could read cannot be read again, not even after signing in anew.";
export const deleteHistory = "Delete messages from the server";
export const deleteHistoryHint = "Your devices and the others keep theirs";
export const deleteHistoryTitle = "Delete all your messages from the server?";
export const deleteHistoryText = "The server deletes every message that it keeps for this account. Your devices keep what they have loaded already; older messages cannot be loaded any more, and a new device begins without any. Another of your devices that was not online since will not get what came meanwhile. The others keep theirs, and groups what was said in them. Nobody can undo that.";
export const deleteHistoryAction = "Delete from the server";
export const deletedHistory = "The server has deleted your messages";
export const deleteAccount = "Delete account";
export const deleteAccountHint = "Ends it on the server, for all your devices";
export const deleteAccountTitle = "Delete your account?";
export const deleteAccountText = "The server deletes everything it has of you, and this device what is kept here. Your contacts keep what you wrote to them. Nobody can undo that.";
export const deleteAccountLabel = "Your address, to be sure";
export const deleteAccountType = "Type {address} to delete it.";
export const signOutQueued = (n: number) => plural(n, "{n} message was not sent yet and will be lost.", "{n} messages were not sent yet and will be lost.");

export const about = "About";
export const aboutText = "Messages that only you and your friends can read.";
export const version = "Version";
export const deviceNumber = "Number of this device";
export const encryption = "Encryption";
export const encryptionHint = "OMEMO, from device to device; in this browser, not on the server";
export const licence = "Licence";
export const aboutOwn = "Clownfish speaks XMPP. Your friends can use other apps and other servers, and you can all write to each other.";

export const shareTo = "Send to";
export const nothingShared = "Nothing to send";
export const nothingSharedText = "What was shared is gone. Share it again from the other app.";
export const sharedTooMuch = "Some of it was left out: at most {files} files of {megabytes} MiB together can be shared at a time.";
export const shareSearch = "Send to whom?";
export const sharedWhat = "What is shared";
export const sharedText = "Text";
export const shareWithout = "Leave out {name}";
export const sharedFrom = "Shared from another app, or by a page in this browser. Nothing goes out until you send it.";
