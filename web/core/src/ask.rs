//! What the page asks for, in the words of the core.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use client::Command as Ask;
use client::store::{
    EncryptionMode, FileKind, Login, MessageId, Mute, Notify, Place, Position, TrustLevel,
};
use client::view::{Privacy, Problem};
use xmpp::jid::BareJid;
use xmpp::sasl::Secret;
use xmpp::time::Millis;

use crate::files::Files;
use crate::page::{self, Command};
use crate::{hex, show};

/// Translates a command. `random` names and protects a file that it brings here.
///
/// # Errors
/// It makes no sense, and why.
#[expect(clippy::too_many_lines, reason = "a table: each command and what it is for the core")]
pub(crate) fn command(
    command: Command,
    files: &mut Files,
    random: impl FnOnce() -> Option<[u8; 60]>,
) -> Result<Ask, Problem> {
    Ok(match command {
        Command::SignIn { address, password } => Ask::Login(login(&address, password)?),
        Command::Register { address, password, token, inviter } => Ask::Register {
            login: login(&address, password)?,
            token,
            inviter: inviter.as_deref().map(jid).transpose()?,
        },
        Command::SignOut => Ask::Logout,
        Command::DeleteAccount => Ask::DeleteAccount,
        Command::DeleteServerHistory => Ask::DeleteServerHistory,
        Command::ChangePassword { password } => {
            Ask::ChangePassword(Secret::from(password.as_str()))
        }
        Command::Invite => Ask::Invite,
        Command::SetNickname { name } => Ask::SetNickname(name),
        Command::SetAvatar { png } => Ask::SetAvatar(png.as_deref().map(picture).transpose()?),
        Command::PushKey => Ask::PushKey,
        Command::SetPush { subscription } => Ask::SetPush(subscription.map(push)),
        Command::SetActive { active } => Ask::SetActive(active),
        Command::SetPrivacy { privacy: page::Privacy { typing, read, idle } } => {
            Ask::SetPrivacy(Privacy { typing, read, idle })
        }
        Command::Reconnect => Ask::Reconnect,
        Command::AddContact { address, name } => Ask::AddContact { address: jid(&address)?, name },
        Command::Rename { address, name } => Ask::Rename(jid(&address)?, name),
        Command::RemoveContact { address } => Ask::RemoveContact(jid(&address)?),
        Command::Answer { address, accept } => Ask::Answer { address: jid(&address)?, accept },
        Command::Block { address, report } => Ask::Block { address: jid(&address)?, report },
        Command::Unblock { address } => Ask::Unblock(jid(&address)?),
        Command::CreateRoom { address, name, public, people } => Ask::CreateRoom {
            room: address.as_deref().map(jid).transpose()?,
            name,
            public,
            people: people.iter().map(|person| jid(person)).collect::<Result<_, _>>()?,
        },
        Command::JoinRoom { address, nick, password } => Ask::JoinRoom {
            room: jid(&address)?,
            nick: nick.filter(|nick| !nick.trim().is_empty()),
            password: password.map(|password| Secret::new(password.into_bytes())),
        },
        Command::LeaveRoom { address } => Ask::LeaveRoom(jid(&address)?),
        Command::DestroyRoom { address } => Ask::DestroyRoom(jid(&address)?, None),
        Command::InviteToRoom { address, person } => {
            Ask::InviteToRoom { room: jid(&address)?, person: jid(&person)?, reason: None }
        }
        Command::RoomLink { address, seconds } => Ask::RoomLink { room: jid(&address)?, seconds },
        Command::RoomLinks { address } => Ask::RoomLinks(jid(&address)?),
        Command::AskToJoin { address, nick, words } => {
            let nick = nick.filter(|nick| !nick.trim().is_empty());
            Ask::AskToJoin { room: jid(&address)?, nick, words }
        }
        Command::WithdrawJoinRequest { address } => Ask::WithdrawJoinRequest(jid(&address)?),
        Command::AnswerJoinRequest { address, nick, person, allow } => {
            let person = person.as_deref().map(jid).transpose()?;
            Ask::AnswerJoinRequest { room: jid(&address)?, nick, person, allow }
        }
        Command::RevokeRoomLinks { address } => Ask::RevokeRoomLinks(jid(&address)?),
        Command::SetAffiliation { address, person, affiliation } => Ask::SetAffiliation {
            room: jid(&address)?,
            person: jid(&person)?,
            affiliation: show::room::affiliation_of(affiliation),
            reason: None,
        },
        Command::SetRole { address, nick, role } => Ask::SetRole {
            room: jid(&address)?,
            nick,
            role: show::room::role_of(role),
            reason: None,
        },
        Command::SetRoomName { address, name } => Ask::SetRoomName(jid(&address)?, name),
        Command::SetRoomAvatar { address, png } => {
            Ask::SetRoomAvatar(jid(&address)?, png.as_deref().map(picture).transpose()?)
        }
        Command::SetSubject { address, subject } => Ask::SetSubject(jid(&address)?, subject),
        Command::SetRoomNick { address, nick } => Ask::SetRoomNick(jid(&address)?, nick),
        Command::Moderate { message, reason } => Ask::Moderate(MessageId(message), reason),
        Command::Open { address } => Ask::Open(jid(&address)?),
        Command::OpenAt { address, message } => Ask::OpenAt(jid(&address)?, MessageId(message)),
        Command::Close { address } => Ask::Close(jid(&address)?),
        Command::CatchUp { address } => Ask::CatchUp(jid(&address)?),
        Command::Older { address } => Ask::Older(jid(&address)?),
        Command::Newer { address } => Ask::Newer(jid(&address)?),
        Command::MarkRead { address, message } => Ask::MarkRead(jid(&address)?, MessageId(message)),
        Command::MarkAllRead { address } => Ask::MarkAllRead(jid(&address)?),
        Command::Draft { address, text } => Ask::Draft(jid(&address)?, text),
        Command::Mute { address, until } => Ask::Mute(jid(&address)?, mute(until)),
        Command::Notify { address, messages } => {
            let messages = match messages {
                page::Notify::Usual => Notify::Usual,
                page::Notify::All => Notify::All,
                page::Notify::Mentions => Notify::Mentions,
            };
            Ask::Notify(jid(&address)?, messages)
        }
        Command::SetWallpaper { address, wallpaper } => {
            Ask::SetWallpaper(jid(&address)?, wallpaper)
        }
        Command::Pin { address, pinned } => Ask::PinConversation(jid(&address)?, pinned),
        Command::Hide { address } => Ask::Hide(jid(&address)?),
        Command::ClearHistory { address } => Ask::ClearHistory(jid(&address)?),
        Command::DeleteConversation { address } => Ask::DeleteConversation(jid(&address)?),
        Command::SetEncryption { address, encrypted } => {
            let mode = if encrypted { EncryptionMode::Omemo } else { EncryptionMode::Plain };
            Ask::SetEncryption(jid(&address)?, mode)
        }
        Command::Search { text, address, from } => Ask::Search {
            text,
            conversation: address.as_deref().map(jid).transpose()?,
            from: from.as_deref().map(stands).transpose()?,
        },
        Command::Files { address, kinds, from } => Ask::Files {
            conversation: jid(&address)?,
            kinds: kinds.into_iter().map(kind).collect(),
            from: from.as_deref().map(stands).transpose()?,
        },
        Command::Send { to, text, reply_to } => {
            Ask::Send { to: jid(&to)?, text, reply_to: reply_to.map(MessageId), encryption: None }
        }
        Command::SendFile {
            to,
            file,
            name,
            size,
            media_type,
            caption,
            picture,
            length,
            reply_to,
        } => Ask::SendFile {
            to: jid(&to)?,
            file: files.of_name(&file).ok_or(Problem::Unknown("file"))?,
            name,
            size,
            media_type,
            caption,
            preview: preview(picture, length),
            reply_to: reply_to.map(MessageId),
            encryption: None,
        },
        Command::Download { message } => {
            let random = random().ok_or_else(|| Problem::Transfer("no randomness".to_owned()))?;
            Ask::Download(MessageId(message), files.add(&random))
        }
        Command::CancelTransfer { message } => Ask::CancelTransfer(MessageId(message)),
        Command::Correct { message, text } => Ask::Correct(MessageId(message), text),
        Command::Retract { message } => Ask::Retract(MessageId(message)),
        Command::Star { message, starred } => Ask::Star(MessageId(message), starred),
        Command::Starred { address } => Ask::Starred(address.as_deref().map(jid).transpose()?),
        Command::React { message, emoji } => Ask::React(MessageId(message), emoji),
        Command::Retry { message } => Ask::Retry(MessageId(message)),
        Command::SendPlain { message } => Ask::SendPlain(MessageId(message)),
        Command::Discard { message } => Ask::Discard(MessageId(message)),
        Command::DeleteHere { message } => Ask::DeleteHere(MessageId(message)),
        Command::Trust { address, key, level } => Ask::Trust {
            owner: jid(&address)?,
            key: hex::read(&key).ok_or_else(|| Problem::Invalid("that is no key".to_owned()))?,
            level: trust(level),
        },
        Command::Verify { uri } => Ask::Verify(uri),
        Command::RemoveDevice { id } => Ask::RemoveDevice(id),
        Command::SetDeviceLabel { label } => Ask::SetDeviceLabel(label),
        Command::RepairEncryption { address } => Ask::RepairEncryption(jid(&address)?),
        Command::Devices { address } => Ask::Devices(jid(&address)?),
    })
}

fn jid(text: &str) -> Result<BareJid, Problem> {
    let jid = BareJid::new(text.trim());
    jid.map_err(|_| Problem::Invalid(format!("{text:?} is not an address like name@example.org")))
}

fn login(address: &str, password: String) -> Result<Login, Problem> {
    Ok(Login {
        address: jid(address)?,
        password: Some(Secret::new(password.into_bytes())),
        server: None,
        pinned: None,
        client_id: String::new(),
        token: None,
    })
}

fn push(subscription: page::WebPush) -> client::PushSubscription {
    let page::WebPush { endpoint, p256dh, auth } = subscription;
    client::PushSubscription { endpoint, p256dh, auth }
}

fn picture(base64: &str) -> Result<Vec<u8>, Problem> {
    let bytes = BASE64_STANDARD.decode(base64);
    bytes.map_err(|_| Problem::Invalid("that is no picture".to_owned()))
}

/// Where a part of a search ended, as [`show::stands`] wrote it.
fn stands(text: &str) -> Result<Place, Problem> {
    let place = text.split_once(' ').and_then(|(position, id)| {
        let position = Position(u64::from_str_radix(position, 16).ok()?);
        Some(Place { position, id: MessageId(id.parse().ok()?) })
    });
    place.ok_or_else(|| Problem::Invalid("no part of a search ended there".to_owned()))
}

/// What is told of a file before it is fetched.
fn preview(picture: Option<page::Picture>, length: Option<u32>) -> Option<client::store::Preview> {
    let of_length = client::store::Preview { length, ..client::store::Preview::default() };
    match picture {
        Some(picture) => Some(client::store::Preview {
            width: picture.width,
            height: picture.height,
            thumbnail: picture.thumbnail,
            description: picture.description,
            ..of_length
        }),
        None => length.map(|_| of_length),
    }
}

fn kind(kind: page::FileKind) -> FileKind {
    match kind {
        page::FileKind::Picture => FileKind::Picture,
        page::FileKind::Film => FileKind::Film,
        page::FileKind::Sound => FileKind::Sound,
        page::FileKind::Other => FileKind::Other,
    }
}

fn mute(until: page::Mute) -> Mute {
    match until {
        page::Mute::No => Mute::No,
        page::Mute::Until { time } => Mute::Until(Millis(time)),
        page::Mute::Forever => Mute::Forever,
    }
}

fn trust(level: page::Trust) -> TrustLevel {
    match level {
        page::Trust::Undecided => TrustLevel::Undecided,
        page::Trust::Blind => TrustLevel::Blind,
        page::Trust::Verified => TrustLevel::Verified,
        page::Trust::Distrusted => TrustLevel::Distrusted,
    }
}
