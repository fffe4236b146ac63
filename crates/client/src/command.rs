//! What a user interface can ask for.

use xmpp::ext::muc::{Affiliation, Role};
use xmpp::jid::BareJid;
use xmpp::sasl::Secret;

use crate::effect::LocalFile;
use crate::store::{EncryptionMode, FileKind, Login, MessageId, Mute, Notify, Place, TrustLevel};
use crate::view::Privacy;

/// A command and the number its [`Outcome`](crate::view::Outcome) will carry.
#[derive(Debug)]
pub struct Request {
    /// Chosen by who asks.
    pub number: u64,
    /// What is wanted.
    pub command: Command,
}

/// What a user interface can ask for. Everything that needs the network is queued while there is
/// none, unless it says otherwise.
pub enum Command {
    // --- Account ---
    /// Keep this login and connect. Done when there is a session, or with the reason why not.
    Login(Login),
    /// Make the account with an invitation (XEP-0445), then log in.
    Register {
        /// The login that will be made.
        login: Login,
        /// The token of the invitation, if there is one.
        token: Option<String>,
        /// Whom to be in touch with afterwards: who invited.
        inviter: Option<BareJid>,
    },
    /// Trust this certificate of the server, and no other.
    Pin([u8; 32]),
    /// The password of the account, where the server wants it again: it takes the place of everything that
    /// was kept for logging in. Done when there is a session, or with the reason why not.
    GivePassword(Secret),
    /// Connect now instead of waiting.
    Reconnect,
    /// Close the stream properly and stay offline.
    Disconnect,
    /// Invalidate the token, withdraw this device and its keys, and wipe what is stored.
    Logout,
    /// End the account on the server (XEP-0077 §3.2), and then wipe what is stored here. Nothing is wiped when
    /// the server refuses, or when there is no answer.
    DeleteAccount,
    /// Delete all messages of the account from its server. What is on devices stays, and so does what
    /// others have.
    DeleteServerHistory,
    /// XEP-0077 §3.3.
    ChangePassword(Secret),
    /// Ask the server for an invitation (XEP-0401). Done with the link.
    Invite,
    /// The name shown to contacts (XEP-0172).
    SetNickname(String),
    /// The picture shown to contacts (XEP-0084): a PNG of at most 64 KiB, or none.
    SetAvatar(Option<Vec<u8>>),
    /// Ask for the key by which a push service knows the server (RFC 8292). Done with it, as text in
    /// base64url.
    PushKey,
    /// Let the server wake this device by Web Push while nothing runs here, or no longer.
    SetPush(Option<PushSubscription>),
    /// Whether somebody looks (XEP-0352).
    SetActive(bool),
    /// What contacts may know of what this account does. Kept on this device.
    SetPrivacy(Privacy),

    // --- Contacts ---
    /// Add to the roster, ask for presence and allow theirs.
    AddContact {
        /// Whom.
        address: BareJid,
        /// How the user calls them.
        name: Option<String>,
    },
    /// Rename a contact.
    Rename(BareJid, Option<String>),
    /// Remove from the roster. The conversation stays.
    RemoveContact(BareJid),
    /// Answer a request for presence.
    Answer {
        /// Who asked.
        address: BareJid,
        /// Accept, or refuse.
        accept: bool,
    },
    /// XEP-0191, with a report (XEP-0377) if wanted.
    Block {
        /// Whom.
        address: BareJid,
        /// Report them as a source of spam.
        report: bool,
    },
    /// XEP-0191.
    Unblock(BareJid),

    // --- Rooms ---
    /// Make a room (XEP-0045 §10.1) and enter it: a private group, for members only, whose members
    /// know each other and can encrypt; or a public channel. Done with [`Outcome::Room`](crate::view::Outcome).
    CreateRoom {
        /// Its address; one that nobody has, on the own server, if there is none.
        room: Option<BareJid>,
        /// What to call it.
        name: Option<String>,
        /// Everybody may enter, and nobody learns addresses.
        public: bool,
        /// Who becomes a member and is invited.
        people: Vec<BareJid>,
    },
    /// Enter a room, now and with every session. Done when this account is in it, or with the
    /// reason why not.
    JoinRoom {
        /// Which.
        room: BareJid,
        /// The nickname; the one kept in the list, or the account's own, if there is none.
        nick: Option<String>,
        /// The room's password.
        password: Option<Secret>,
    },
    /// Leave a room, on all devices. The conversation stays.
    LeaveRoom(BareJid),
    /// Let nobody enter a room any more, for its owners; with a reason.
    DestroyRoom(BareJid, Option<String>),
    /// Invite somebody to a room (XEP-0045 §7.8, XEP-0249); they become a member where that is
    /// needed and this account may do it.
    InviteToRoom {
        /// Where to.
        room: BareJid,
        /// Whom.
        person: BareJid,
        /// Why.
        reason: Option<String>,
    },
    /// Ask a room for a link that makes whoever follows it a member (XEP-0488). Done with
    /// [`Outcome::Links`](crate::view::Outcome), of which there is one.
    RoomLink {
        /// Where to.
        room: BareJid,
        /// How long it is good for; as long as the room likes without it.
        seconds: Option<u32>,
    },
    /// Ask for the links that [`RevokeRoomLinks`](Self::RevokeRoomLinks) would withdraw. Done with
    /// [`Outcome::Links`](crate::view::Outcome).
    RoomLinks(BareJid),
    /// Ask the admins of a room for members to become one (XEP-0045 §7.10). Done when they are asked; this
    /// account is let in when one of them agrees.
    AskToJoin {
        /// Where.
        room: BareJid,
        /// The nickname there; the one of the last try to enter, or as for
        /// [`JoinRoom`](Self::JoinRoom), if there is none.
        nick: Option<String>,
        /// Who asks, in their words.
        words: Option<String>,
    },
    /// Take back that this account asked to become a member of a room.
    WithdrawJoinRequest(BareJid),
    /// Let somebody in who asks to become a member (XEP-0045 §9.9), or do not. Done when the room has
    /// taken the answer.
    AnswerJoinRequest {
        /// Where.
        room: BareJid,
        /// The nickname of the request.
        nick: String,
        /// Its address, where the room tells it.
        person: Option<BareJid>,
        /// Whether they become a member.
        allow: bool,
    },
    /// Withdraw all links to a room that this account may withdraw. Done with
    /// [`Outcome::Withdrawn`](crate::view::Outcome).
    RevokeRoomLinks(BareJid),
    /// Make somebody a member, admin or owner, ban them, or nothing of that (XEP-0045 §5.2).
    SetAffiliation {
        /// Where.
        room: BareJid,
        /// Whom.
        person: BareJid,
        /// What they become.
        affiliation: Affiliation,
        /// Why.
        reason: Option<String>,
    },
    /// Give somebody who is there a role, or put them out with [`Role::None`] (XEP-0045 §5.1).
    SetRole {
        /// Where.
        room: BareJid,
        /// Their nickname.
        nick: String,
        /// What they become.
        role: Role,
        /// Why.
        reason: Option<String>,
    },
    /// Call a room something else, for its owners (XEP-0045 §10.2).
    SetRoomName(BareJid, String),
    /// Give a room a picture (XEP-0486): a PNG of at most 64 KiB, or none. For its owners.
    SetRoomAvatar(BareJid, Option<Vec<u8>>),
    /// What is talked about in a room.
    SetSubject(BareJid, String),
    /// Take another nickname in a room.
    SetRoomNick(BareJid, String),
    /// Take a message of somebody else back, for moderators of a room (XEP-0425); with a reason.
    Moderate(MessageId, Option<String>),
    /// Keep a room in the account's list (XEP-0402), or change what is kept of it.
    SetBookmark {
        /// Which.
        room: BareJid,
        /// What to call it.
        name: Option<String>,
        /// Whether devices enter it by themselves.
        autojoin: bool,
        /// The nickname there.
        nick: Option<String>,
        /// The room's password: `None` leaves it as it is, an empty one removes it.
        password: Option<Secret>,
    },
    /// Take a room out of the account's list.
    RemoveBookmark(BareJid),

    // --- Conversations ---
    /// Open a window on a conversation: the newest messages, or those around the first unread one.
    Open(BareJid),
    /// Open a window around a message that is here: something that was found, or quoted. Such a
    /// window may end before the newest message ([`Newer`](Self::Newer)); what is written meanwhile
    /// is not in it. [`Open`](Self::Open) leads back to the end.
    OpenAt(BareJid, MessageId),
    /// Close the window.
    Close(BareJid),
    /// Load an older page into the window; from the server's archive when there is nothing here.
    Older(BareJid),
    /// Ask the archive now for what was missed, where it did not answer
    /// ([`behind`](crate::view::Conversation::behind)).
    CatchUp(BareJid),
    /// Load a newer page into a window that does not reach to the newest message.
    Newer(BareJid),
    /// Everything up to this message was seen (XEP-0333, XEP-0490).
    MarkRead(BareJid, MessageId),
    /// Everything that is here of a conversation was seen, without a window on it: the list or a
    /// notification told enough. One that is hidden stays so.
    MarkAllRead(BareJid),
    /// Keep what is being written. Typing notifications (XEP-0085) follow from it.
    Draft(BareJid, String),
    /// Muted conversations do not notify.
    Mute(BareJid, Mute),
    /// Which messages of a room notify. Muting it goes before.
    Notify(BareJid, Notify),
    /// What stands behind the messages of a conversation, by a name of the user interface's own, at most
    /// [`MAX_WALLPAPER_BYTES`]; without one, what stands behind all others. Kept on this device.
    SetWallpaper(BareJid, Option<String>),
    /// Pinned conversations come first.
    PinConversation(BareJid, bool),
    /// Out of the list until something new comes.
    Hide(BareJid),
    /// Delete everything that was said in a conversation on this device alone, and the files that only
    /// this program keeps of it. The others keep theirs, and so do the own other devices. What waits
    /// there to be sent is given up. It does not come back from an archive.
    ClearHistory(BareJid),
    /// The same, and the conversation goes from the list until something new is in it. What is known
    /// of keys stays. A room has to be left first.
    DeleteConversation(BareJid),
    /// Whether what is written here is encrypted. Plain text needs this explicit, remembered choice.
    SetEncryption(BareJid, EncryptionMode),
    /// Look for messages in own history, everywhere or in one conversation. Done with what one part of
    /// it has and where the next part begins ([`Outcome::Part`](crate::view::Outcome)): whoever wants
    /// more asks again from there, and whoever looks for something else asks no more.
    Search {
        /// Words that all have to be there, in any order and without case; at most
        /// [`MAX_SEARCH_BYTES`].
        text: String,
        /// Only there.
        conversation: Option<BareJid>,
        /// Where the part before ended; the newest messages are in the first one.
        from: Option<Place>,
    },
    /// Look for files in a conversation, a part at a time as in [`Search`](Self::Search).
    Files {
        /// Where.
        conversation: BareJid,
        /// Which kinds.
        kinds: Vec<FileKind>,
        /// Where the part before ended.
        from: Option<Place>,
    },

    // --- Messages ---
    /// Write a message. [`Effect::Kept`](crate::Effect) says at once that it is in the timeline and
    /// will be sent; done when the server has it on disk.
    Send {
        /// To whom.
        to: BareJid,
        /// The text, at most [`MAX_TEXT_BYTES`].
        text: String,
        /// The message this one answers (XEP-0461).
        reply_to: Option<MessageId>,
        /// Encrypted or not at all, or in plain text, chosen for this message whatever its
        /// conversation says; without a choice it leaves as the conversation says now. Kept with the
        /// message, however long it waits. What is to leave encrypted waits for the keys of whoever
        /// has none yet, but not when that was chosen for the message: then it fails.
        encryption: Option<EncryptionMode>,
    },
    /// Send a file (XEP-0363), encrypted by XEP-0454 or XEP-0448 where its message is.
    SendFile {
        /// To whom.
        to: BareJid,
        /// What the driver calls it.
        file: LocalFile,
        /// The name others see, without folders.
        name: String,
        /// Bytes.
        size: u64,
        /// MIME type.
        media_type: String,
        /// A text that goes with it.
        caption: Option<String>,
        /// What it looks like, told with the message.
        preview: Option<crate::store::Preview>,
        /// The message this one answers (XEP-0461).
        reply_to: Option<MessageId>,
        /// As in [`Send`](Self::Send), for the file and its caption.
        encryption: Option<EncryptionMode>,
    },
    /// Fetch the file of a message.
    Download(MessageId, LocalFile),
    /// Stop a transfer, also one that waits for the network. A file that was to be sent is a message
    /// that failed.
    CancelTransfer(MessageId),
    /// Replace the text of an own message (XEP-0308).
    Correct(MessageId, String),
    /// Take an own message back (XEP-0424). One that cannot have left this device yet is given up,
    /// as with [`Discard`](Self::Discard): nobody hears of it.
    Retract(MessageId),
    /// Give a message a star, to find it again, or take it away. The account's own devices learn of it.
    Star(MessageId, bool),
    /// Ask for the messages with a star, everywhere or in one conversation. Done with them, newest
    /// first.
    Starred(Option<BareJid>),
    /// The whole set of own reactions to a message (XEP-0444).
    React(MessageId, Vec<String>),
    /// Try a failed message again.
    Retry(MessageId),
    /// Send a message that waits or failed in plain text, chosen for it alone.
    SendPlain(MessageId),
    /// Give up a queued or failed message.
    Discard(MessageId),
    /// Delete a message on this device alone, with the file that only this program keeps of it. The
    /// others keep theirs, and so do the own other devices. One that waits to be sent is given up.
    DeleteHere(MessageId),

    // --- Devices and trust ---
    /// Whether to encrypt to and believe a device's key.
    Trust {
        /// Whose device.
        owner: BareJid,
        /// The identity key, in Ed25519 form.
        key: [u8; 32],
        /// The decision.
        level: TrustLevel,
    },
    /// Verify everything that a scanned `xmpp:…?omemo-sid-…` URI names. Done with how many keys.
    Verify(String),
    /// Remove one of the own devices from the published list.
    RemoveDevice(u32),
    /// What the others of this account see of this device (XEP-0384 0.9, signed).
    SetDeviceLabel(String),
    /// Begin new encrypted sessions with all devices of somebody, when messages cannot be read.
    RepairEncryption(BareJid),
    /// Ask for the devices of an address. Done with [`Outcome::Devices`](crate::view::Outcome).
    Devices(BareJid),
}

/// Where and how a browser can be woken (Push API). Whoever has it can try to, so it is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PushSubscription {
    /// The address at the push service.
    pub endpoint: String,
    /// The browser's public key in base64url.
    pub p256dh: String,
    /// A secret that both sides know, in base64url.
    pub auth: String,
}

/// Commands carry passwords, tokens and texts: nothing of them is printed.
impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Command(..)")
    }
}

/// Longest text of one message, in bytes.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;
/// Most bytes of what is looked for.
pub const MAX_SEARCH_BYTES: usize = 1024;
/// Longest name of a wallpaper, in bytes.
pub const MAX_WALLPAPER_BYTES: usize = 32;
