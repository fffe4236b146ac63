// Why something is not as it should be, as the core and the worker say it: each is known by its name here,
// with what belongs to it in the places {0} and {1}. reason.ts tells which one it is, and what it is called in
// the language of the page.

// What is sent.
export const notEncrypted = "it is not encrypted, and this conversation is now";
export const cannotBeRead = "what was kept of it cannot be read";
export const notCovered = "the encryption did not cover all of it";
export const nobodyReads = "nobody could read it";
export const noEncryption = "this program cannot encrypt";
export const distrusted = "it was encrypted for a device that is not trusted any more";
export const noOtherDevice = "this account has no other device that could read it";
export const roomNobody = "nobody else in this room has a device that can read encrypted messages";
export const roomUntrusted = "no device of the others in this room is trusted; compare their keys";
export const roomUnknown = "in this room it is not known who reads; it is not for members only, or hides addresses";
export const noDevice = "{0} has no device that can read encrypted messages";
export const brokenKeys = "the keys of {0} cannot be used";
export const untrusted = "no device of {0} is trusted; compare their keys first";
export const unreachable = "{0} or their server cannot be reached now";
export const wantsPlain = "{0} asked for plain text: choose how to go on";
export const textBytes = "a message has 1 to {0} bytes";
export const tooLarge = "it has {0} KiB, for all devices together, and the server takes {1}";
export const tooManyMessages = "too many messages wait";
export const tooManyRequests = "too many requests wait for the network";
export const nothingToFind = "there is nothing to find again";
export const mostStars = "only {0} messages can have a star";
export const longSearch = "at most {0} bytes can be looked for";
export const nothingToSend = "there is nothing to send";
export const wasSent = "this message was sent";
export const onlyOwnTexts = "only own texts can be corrected";
export const onlyOwn = "only own messages can be taken back";
export const leaveFirst = "leave the room first";
export const noId = "this message has no id";

// Files.
export const cancelled = "cancelled";
export const uploadSize = "the server takes files of up to {0} bytes";
export const noPlace = "the server gave no place";
export const noSafePlace = "the server gave no safe place";
export const strangeAddress = "its address makes no sense";
export const unsafeAddress = "its address is not safe";
export const fileNotHere = "the file is not here";
export const fileGoneHere = "the file is not here any more";
export const noChecksum = "the file has no checksum";
export const notTaken = "the server does not take the file: {0}";
export const filesUnreachable = "the server of the files cannot be reached";
export const filesNotAllowed = "files at {0} are not allowed here; whoever runs the server can allow them (files_from)";
export const stoppedSending = "the server stopped sending";
export const fileGone = "the file is no longer on the server";
export const notGiven = "the server does not give the file: {0}";
export const fileDamaged = "the file is damaged, or was exchanged: it does not fit its key";
export const fileLarger = "the file is larger than {0} MiB";
export const fileLargerThanTold = "the file is larger than it was said to be";
export const noSpace = "there is no space left for the file";
export const sendSize = "files of up to {0} MiB can be sent";
export const notTransferred = "the file was not transferred: {0}";

// The connection.
export const serverSilent = "the server does not answer";
export const hostSilent = "{0} does not answer";
export const connectionLost = "the connection was lost";
export const connectionDead = "the connection is dead";
export const connectionClosed = "the connection was closed";
export const connectionEnded = "the server closed the connection";
export const passwordNeeded = "the password is needed";
export const passwordAgain = "the password is needed again";
export const passwordWrong = "the address or the password is wrong";
export const noSession = "no session was bound";
export const noSessionBecause = "no session was bound: {0}";
export const unknownSession = "a session that is not known";
export const countedWrong = "the server counted wrong";
export const halfMessage = "half a message";
export const secondStream = "a second stream";
export const nonsense = "the server sent nonsense";
export const nonsenseBecause = "the server sent nonsense: {0}";
export const serverClosed = "the server closed the stream";
export const serverEnded = "the server ended the stream: {0}";
export const takenOver = "another program took over this session";
export const notLetIn = "the server does not let this account in any more";
export const otherDomain = "the server does not serve this domain";
export const rulesBroken = "the server says that its rules were broken";
export const unexpected = "unexpected answer: {0}";
export const noTls = "the server does not offer encryption";
export const noMechanism = "the server offers no way to log in that is allowed here";
export const offerChanged = "the server's offer was changed on the way";
export const offerChangedIn = "the server's offer was changed on the way: {0}";
export const loginRefused = "the login was refused: {0}";
export const furtherTask = "the server demands a further task";
export const registrationRefused = "the registration was refused: {0}";
export const answerMalformed = "the server's answer is malformed";
export const answerOther = "the server's answer belongs to another login";
export const fewRounds = "the server protects passwords with {0} rounds only";
export const manyRounds = "the server demands {0} rounds";
export const otherTls = "the connection is encrypted differently at the server's end";
export const logInFirst = "log in first";
export const otherProfile = "this profile is that of {0}";

// What the server or a device cannot.
export const nameEmpty = "a name has at least one letter";
export const noRename = "the room cannot be renamed";
export const pictureSize = "a picture is a PNG of at most 64 KiB";
export const passwordText = "a password is text";
export const listsPublic = "it does not keep lists of rooms private";
export const noInvitation = "it gave no invitation";
export const keepsHistory = "it deletes no history when it is asked to";
export const noWebPush = "this server wakes nobody by Web Push";
export const nickLetters = "a nickname has at least one letter";
export const noFunction = "this program has no such function";
export const noFingerprints = "this link has no fingerprints in it";
export const noKeysYet = "this device has no keys yet: try again when it is connected";
export const otherKey = "device {0} of {1} has another key than the link says: somebody may be in between";
export const deviceInUse = "this is the device in use; log out instead";
export const noKey = "that is no key";
export const noPicture = "that is no picture";
export const noAddress = "{0} is not an address like name@example.org";
export const noSuch = "there is no such {0}";
export const notEncryptable = "it cannot be encrypted: {0}";
export const wasRefused = "it was refused: {0}";
export const serverCannot = "the server cannot do that: {0}";
export const noAnswer = "there was no answer";
export const nameTaken = "the name is taken";

// Rooms.
export const roomMissing = "there is no such room";
export const roomPassword = "the room wants a password";
export const roomLinkOver = "this link is not valid any more; ask for another one";
export const roomMembers = "only members may enter; one of them can invite you";
export const roomBanned = "this account is banned there";
export const roomFull = "the room is full";
export const roomDestroyed = "the room was destroyed";
export const wereBanned = "you were banned from the room";
export const wereRemoved = "you were removed from the room";
export const notMember = "you are not a member any more";
export const membersNow = "the room is for members only now";
export const nickTaken = "this nickname is taken";
export const nickOthers = "somebody else has this nickname";
export const nicksFixed = "nicknames cannot be changed here";
export const nickUnusable = "this nickname cannot be used";
export const roomRefuses = "the room refuses";
export const roomExists = "a room of this address exists already";
export const roomUnconfigured = "the room cannot be configured";
export const roomNotPrivate = "the service cannot make rooms for members only";
export const roomNoService = "it has no service for rooms; name one on another server";
export const roomAlready = "you are in this room already";
export const roomNotIn = "you are not in this room";
export const isPerson = "this is the address of a person";
export const tooManyRooms = "there are too many rooms";
export const roomNoId = "the room gave this message no id";

// This device.
export const storeFull = "there is no space left for messages and keys";
export const storeFailed = "storage failed: {0}";
export const storeDamaged = "stored data is damaged: {0}";
export const storeProblem = "there is a problem with the storage";
export const notStarted = "not started";
export const notAtWork = "the core of Clownfish is not at work in this tab";
export const elsewhere = "the account is open in another tab";
export const signedOut = "the account was signed out";
export const codeTooLong = "the text is too long for a code";
export const noSecure = "the page did not come over a secure connection";
export const noWasm = "the browser runs no WebAssembly";
export const noLocks = "the browser cannot share an account between tabs";
export const noFiles = "the browser keeps no private files";
export const noKeys = "the browser keeps no keys";
export const noDatabase = "the browser's private files hold no database";
export const altered = "{0} is not the file that this version consists of";
export const notCome = "{0} did not come: {1}";

// What a server answers without words of its own (RFC 6120 §8.3.3).
export const badRequest = "bad request";
export const conflict = "conflict";
export const notImplemented = "feature not implemented";
export const forbidden = "forbidden";
export const gone = "gone";
export const internalError = "internal server error";
export const itemNotFound = "item not found";
export const jidMalformed = "jid malformed";
export const notAcceptable = "not acceptable";
export const notAllowed = "not allowed";
export const notAuthorized = "not authorized";
export const policyViolation = "policy violation";
export const recipientUnavailable = "recipient unavailable";
export const redirect = "redirect";
export const registrationRequired = "registration required";
export const remoteNotFound = "remote server not found";
export const remoteTimeout = "remote server timeout";
export const resourceConstraint = "resource constraint";
export const serviceUnavailable = "service unavailable";
export const subscriptionRequired = "subscription required";
export const undefined = "undefined condition";
export const unexpectedRequest = "unexpected request";

// What a message is that says nothing itself, in the list of chats.
export const previewRetracted = "This message was taken back";
export const previewNotForUs = "A message that was not encrypted for this device";
export const previewUnreadable = "A message that this device cannot read";
export const previewDevice = "A new device is in use";
export const previewPlain = "They ask for messages that are not encrypted";
export const previewInvited = "You are invited";
export const previewDeclined = "An invitation is declined";
export const previewRoom = "The group is different now";
export const previewRestored = "This profile was put back to an earlier state";
export const previewGap = "Messages may be missing here";

// Of somebody who is no contact.
export const requestCame = "A request";
export const requestText = "Somebody wants to be in touch";

// What was promised by an earlier program.
export const notDone = "Not done";
export const notDoneBecause = "{0} did not work: {1}.";
export const notFinished = "{0} was not finished when the program ended. Look whether it was done.";
export const changingName = "Changing your name";
export const changingPicture = "Changing your picture";
export const adding = "Adding {0}";
export const renaming = "Renaming {0}";
export const removingDevice = "Removing device {0}";
export const removing = "Removing {0}";
export const answerTo = "The answer to {0}";
export const blocking = "Blocking {0}";
export const unblocking = "Unblocking {0}";
export const newLabel = "The new label of this device";
export const entering = "Entering {0}";
export const leaving = "Leaving {0}";
export const keepingRoom = "Keeping the room {0}";
export const forgettingRoom = "Forgetting the room {0}";
export const changingPassword = "Changing the password";
export const makingInvitation = "Making an invitation";
export const deletingAccount = "Deleting the account";
export const deletingHistory = "Deleting the messages from the server";
export const makingRoom = "Making a room";
export const removingRoom = "Removing the room {0}";
export const inviting = "Inviting {0} to {1}";
export const mayDo = "What {0} may do in {1}";
export const subjectOf = "The subject of {0}";
export const nicknameIn = "The nickname in {0}";
export const takingBack = "Taking back a message in a room";
