//! What a person can ask for.

use serde::Deserialize;
#[cfg(test)]
use ts_rs::TS;

use super::{Affiliation, Mute, Notify, Picture, Privacy, Role, Trust};

/// A command of the page and the number its [`Outcome`] will carry.
#[derive(Deserialize)]
#[cfg_attr(test, derive(TS))]
pub struct Request {
    /// Chosen by the page.
    pub number: u64,
    /// What is wanted.
    pub command: Command,
}

/// What a person can ask for.
#[derive(Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Command {
    /// Log in. Done when there is a session, or with the reason why not.
    SignIn {
        address: String,
        password: String,
    },
    /// Make the account of an invitation (XEP-0445), then log in.
    Register {
        address: String,
        password: String,
        token: Option<String>,
        inviter: Option<String>,
    },
    /// Invalidate the token, withdraw this device, wipe what is stored.
    SignOut,
    /// End the account on the server, then wipe what is stored. Nothing is wiped when that fails.
    DeleteAccount,
    /// Delete all messages of the account from its server; devices and others keep theirs.
    DeleteServerHistory,
    ChangePassword {
        password: String,
    },
    /// Ask the server for an invitation. Done with the link.
    Invite,
    SetNickname {
        name: String,
    },
    /// Base64 of a PNG of at most 64 KiB, or none.
    SetAvatar {
        png: Option<String>,
    },
    /// Ask for the key that the browser's push service is to know the server by. Done with the text.
    PushKey,
    /// Let the server wake this browser while no page is open, or no longer.
    SetPush {
        subscription: Option<WebPush>,
    },
    /// Whether somebody looks.
    SetActive {
        active: bool,
    },
    /// What contacts may know of what this account does.
    SetPrivacy {
        privacy: Privacy,
    },
    /// Connect now instead of waiting.
    Reconnect,

    AddContact {
        address: String,
        name: Option<String>,
    },
    Rename {
        address: String,
        name: Option<String>,
    },
    RemoveContact {
        address: String,
    },
    /// Answer a request for presence.
    Answer {
        address: String,
        accept: bool,
    },
    Block {
        address: String,
        report: bool,
    },
    Unblock {
        address: String,
    },

    /// Make a room and enter it. Done with `room`.
    CreateRoom {
        /// One that nobody has, on the own server, if there is none.
        address: Option<String>,
        name: Option<String>,
        /// Everybody may enter, and nobody learns addresses.
        public: bool,
        /// Who becomes a member and is invited.
        people: Vec<String>,
    },
    /// Enter a room, now and with every session. Done with `room`.
    JoinRoom {
        address: String,
        nick: Option<String>,
        password: Option<String>,
    },
    /// Leave a room on all devices, or refuse an invitation. The conversation stays.
    LeaveRoom {
        address: String,
    },
    /// Let nobody enter a room any more.
    DestroyRoom {
        address: String,
    },
    InviteToRoom {
        address: String,
        person: String,
    },
    /// Ask a room for a link that makes whoever follows it a member, for so many seconds. Done with the link.
    RoomLink {
        address: String,
        seconds: Option<u32>,
    },
    /// Ask for the links that may be withdrawn.
    RoomLinks {
        address: String,
    },
    /// Ask the admins of a room for members to become one.
    AskToJoin {
        address: String,
        /// The nickname there; the one of the last try to enter if there is none.
        nick: Option<String>,
        words: Option<String>,
    },
    /// Take back that this account asked.
    WithdrawJoinRequest {
        address: String,
    },
    /// Let somebody in who asks to become a member, or do not.
    AnswerJoinRequest {
        address: String,
        nick: String,
        person: Option<String>,
        allow: bool,
    },
    /// Withdraw all links to a room that this account may withdraw.
    RevokeRoomLinks {
        address: String,
    },
    SetAffiliation {
        address: String,
        person: String,
        affiliation: Affiliation,
    },
    /// Give somebody who is there a role; `none` puts them out.
    SetRole {
        address: String,
        nick: String,
        role: Role,
    },
    /// Call a room something else, for its owners.
    SetRoomName {
        address: String,
        name: String,
    },
    /// Base64 of a PNG of at most 64 KiB, or none: the picture of a room, for its owners.
    SetRoomAvatar {
        address: String,
        png: Option<String>,
    },
    SetSubject {
        address: String,
        subject: String,
    },
    SetRoomNick {
        address: String,
        nick: String,
    },
    /// Take back a message of somebody else in a room.
    Moderate {
        message: i64,
        reason: Option<String>,
    },

    /// Open a window: the newest messages, or those around the first unread one.
    Open {
        address: String,
    },
    /// Open a window around a message that is here. It may end before the newest message; what is
    /// new is not in it then.
    OpenAt {
        address: String,
        message: i64,
    },
    Close {
        address: String,
    },
    /// Load an older page into the window.
    Older {
        address: String,
    },
    /// Load a newer page into a window that does not reach to the newest message.
    Newer {
        address: String,
    },
    /// Ask the archive now for what was missed, where it did not answer.
    CatchUp {
        address: String,
    },
    /// Everything up to this message was seen.
    MarkRead {
        address: String,
        message: i64,
    },
    /// Everything in it was seen, without opening it.
    MarkAllRead {
        address: String,
    },
    Draft {
        address: String,
        text: String,
    },
    Mute {
        address: String,
        until: Mute,
    },
    /// Which messages of a room notify while it is not muted.
    Notify {
        address: String,
        messages: Notify,
    },
    /// What stands behind the messages; without one, what stands behind all others.
    SetWallpaper {
        address: String,
        wallpaper: Option<String>,
    },
    Pin {
        address: String,
        pinned: bool,
    },
    Hide {
        address: String,
    },
    /// Delete everything that was said in it, on this device alone.
    ClearHistory {
        address: String,
    },
    /// The same, and it goes from the list until something new is in it.
    DeleteConversation {
        address: String,
    },
    SetEncryption {
        address: String,
        encrypted: bool,
    },
    /// Look through a part of own history for messages that say all of these words. Done with `part`;
    /// whoever wants more asks again with its `next` as `from`.
    Search {
        text: String,
        address: Option<String>,
        from: Option<String>,
    },
    /// Look through a part of a conversation for files. Done with `part`, as `search` is.
    Files {
        address: String,
        kinds: Vec<FileKind>,
        from: Option<String>,
    },

    /// Done when the server has it on disk; the timeline shows it at once.
    Send {
        to: String,
        text: String,
        reply_to: Option<i64>,
    },
    /// Send a file that was given to the worker under this name before.
    SendFile {
        to: String,
        file: String,
        name: String,
        size: u64,
        media_type: String,
        caption: Option<String>,
        /// What it looks like, if it is a picture.
        picture: Option<Picture>,
        /// How long it plays, in milliseconds, if it does.
        length: Option<u32>,
        reply_to: Option<i64>,
    },
    /// Fetch the file of a message.
    Download {
        message: i64,
    },
    CancelTransfer {
        message: i64,
    },
    Correct {
        message: i64,
        text: String,
    },
    Retract {
        message: i64,
    },
    /// Give a message a star, to find it again, or take it away.
    Star {
        message: i64,
        starred: bool,
    },
    /// Ask for the messages with a star, everywhere or in one conversation. Done with `found`.
    Starred {
        address: Option<String>,
    },
    /// The whole set of own reactions.
    React {
        message: i64,
        emoji: Vec<String>,
    },
    Retry {
        message: i64,
    },
    /// Send a message that waits or failed without encryption, chosen for it alone.
    SendPlain {
        message: i64,
    },
    Discard {
        message: i64,
    },
    /// Delete a message on this device alone.
    DeleteHere {
        message: i64,
    },

    /// Decide about a device's key, 64 hexadecimal digits.
    Trust {
        address: String,
        key: String,
        level: Trust,
    },
    /// Verify everything a scanned `xmpp:…?omemo-sid-…` URI names. Done with how many keys.
    Verify {
        uri: String,
    },
    RemoveDevice {
        id: u32,
    },
    SetDeviceLabel {
        label: String,
    },
    RepairEncryption {
        address: String,
    },
    /// Ask for the devices of an address. Done with `devices`.
    Devices {
        address: String,
    },
}

/// What a file is for whoever looks for it: by what was said of it, else by its name.
#[derive(Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub enum FileKind {
    Picture,
    Film,
    Sound,
    Other,
}

/// What `PushSubscription.toJSON()` gives.
#[derive(Deserialize)]
#[cfg_attr(test, derive(TS))]
pub struct WebPush {
    pub endpoint: String,
    /// Base64url.
    pub p256dh: String,
    /// Base64url.
    pub auth: String,
}
