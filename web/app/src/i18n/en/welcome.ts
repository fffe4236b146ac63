import { plural } from "../index";

export const hello = "Welcome to Clownfish";
export const whatItIs = "Private chats with people you know. In chats and private groups, what you write is encrypted on this device: only you and the people you write to can read it.";
export const haveAccount = "Sign in";
export const haveInvitation = "I have an invitation";
export const noAccount = "No account yet?";
export const closed = "Accounts on this server are made by invitation. Ask somebody who is here already for a link, or the people who run the server.";

export const about = "About this server";

export const invites = "{name} invites you to chat";
export const invited = "You are invited to {server}";
export const invitedText = "Choose a name and start: no phone number, no email. What you write can be read by the two of you and nobody else.";
export const invitedServerText = "Choose a name and start: no phone number, no email. What you write can be read by you and the people you write to, nobody else.";
export const yourName = "Your name";
export const yourNameHint = "What your friends see. Your address is made of it.";
export const nameMadeUp = "A proposal: type your own over it, or keep it.";
/** One of each makes a name. */
export const names = [
  ["Quiet", "Bright", "Silver", "Northern", "Merry", "Brave", "Gentle", "Golden", "Clever", "Little", "Windy", "Morning", "Starry", "Sunny", "Swift", "Misty"],
  ["Otter", "Heron", "Seal", "Gull", "Robin", "Badger", "Falcon", "Salmon", "Hedgehog", "Owl", "Crane", "Dolphin", "Fox", "Lark", "Whale", "Wren"],
] as const satisfies readonly [readonly string[], readonly string[]];
export const namesBetween = " ";
export const addressIs = "Your address will be {address}";
export const nameMissing = "Please type a name.";
export const nameUnfit = "An address cannot be made of that. Use at least one letter or digit.";
export const server = "Server";
export const serverHint = "The name behind the @, as whoever invited you knows it";
export const serverWrong = "That is not the name of a server. It looks like example.org.";

export const passwordMade = "A strong password was made for you";
export const passwordWhy = "You need it to sign in on other devices. Let the browser keep it, or write it down.";
export const password = "Password";
export const passwordShort = (n: number) => plural(n, "At least {n} letter, please.", "At least {n} letters, please. A sentence is easy to remember.");
export const passwordMissing = "Please type the password.";
export const copyPassword = "Copy password";

export const start = "Start chatting";
export const startWith = "Start chatting with {name}";
export const haveAccountAlready = "I have an account already";
export const back = "Back";

export const progress = {
  account: "Making your account…",
  signIn: "Signing in…",
  connecting: "Looking for the server…",
  keys: "Preparing your encryption…",
  opening: "Almost there…",
};

export const nameTaken = "Somebody has the name “{name}” already.";
export const takeOther = "Take “{name}” instead";
export const invitationGone = "This invitation was used already, or has expired.";
export const invitationGoneText = "Invitations are good once and for some days. Ask {name} for a new one: it takes them a moment.";
export const invitationGoneSomebody = "Invitations are good once and for some days. Ask whoever sent it for a new one.";
export const askText = "Hi! The invitation to chat does not work any more. Can you send me a new one?";
export const ask = "Ask for a new one";
export const pasteOther = "I have another invitation";
export const unreachable = "The server {server} does not answer. Is this device online?";
export const wrongPassword = "The address or the password is wrong.";
export const badPassword = "The server does not take this password: {reason}";
export const storageRefused = "This browser keeps nothing on this device: {reason}. Private windows often do that; a normal one will do.";
export const failed = "That did not work: {reason}";
export const notHere = "Accounts of {server} do not seem to be on the server that this page comes from. Open the page of your own server, or use another app for that account.";
export const retry = "Try again";

export const signInTitle = "Sign in";
export const signInText = "With the address and the password of your account on this server.";
export const signInThen = "Then you can write to {name} at once.";
export const address = "Address";
export const addressHint = "It looks like anna@example.org";
export const signIn = "Sign in";
export const forgotten = "Forgot the password? The people who run {server} can set a new one.";

export const invitationTitle = "Your invitation";
export const invitationText = "Paste the link you got, or scan its code.";
export const invitationLink = "Invitation link";
export const invitationHint = "It begins with https:// or xmpp:";
export const toGroup = "A link into the group “{name}” led you here. That takes an account: sign in, and you are asked whether to join.";
export const toGroupElsewhere = "Open it in another app";
export const invitationToGroup = "This link leads into a group, and that takes an account. Sign in, or make an account with an invitation to one; then paste this link under “New chat”.";
export const invitationWrong = "This is not an invitation to an account. An invitation looks like https://example.org/invite/…";
export const goOn = "Continue";
export const scan = "Scan the code";

export const iosTitle = "First put Clownfish on your Home Screen";
export const iosWhy = "Safari deletes what a website keeps when it is not visited for seven days: your messages and keys, too. An app on the Home Screen keeps them.";
export const iosSteps = [
  "Tap the Share button of Safari.",
  "Choose “Add to Home Screen”.",
  "Open Clownfish from there.",
] as const;
export const iosInvitation = "Copy the invitation now, and paste it in the app.";
export const iosCopy = "Copy the invitation";
export const iosAnyway = "Continue in Safari anyway";

export const install = "Install Clownfish";
export const installed = "Clownfish is installed";
export const ready = "You are in. Would you like to install Clownfish as an app?";
