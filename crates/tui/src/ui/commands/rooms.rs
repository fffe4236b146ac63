//! Commands for rooms.

use client::Command as Ask;
use client::store::{Mute, Notify};
use client::view::{Affiliation, Member, Role, Room};
use xmpp::jid::BareJid;

use super::{Action, App, Argument, Command, Kind, Values, account, here, person};
use crate::ui::app::{Key, Waiting};
use crate::ui::event::Notice;
use crate::ui::overlay::{Overlay, Question, Then};
use crate::ui::{room_link, rooms};

const WHO: Argument = Argument::required("WHO", Kind::Occupant);
const REASON: Argument = Argument::optional("REASON", Kind::Rest);

/// The room on screen.
fn room(app: &App) -> Result<(Key, &Room), String> {
    let key = here(app)?;
    let room = app.room_of(&key).ok_or("this is no room; /create makes one, /join enters one")?;
    Ok((key, room))
}

/// Somebody in the room on screen.
fn member(app: &App, typed: &str) -> Result<(Key, Member), String> {
    let (key, room) = room(app)?;
    Ok((key, rooms::somebody(room, typed)?.clone()))
}

/// The address of somebody in the room on screen, who may also be known from elsewhere.
fn address(app: &App, typed: &str) -> Result<(Key, BareJid), String> {
    let (key, room) = room(app)?;
    let found = rooms::somebody(room, typed).ok().map(|member| member.address.clone());
    match found {
        Some(Some(address)) => Ok((key, address)),
        Some(None) => Err(format!("the room hides the address of {typed}, so that cannot be said")),
        None => person(app, Some(typed)).map(|found| (key, found.with)),
    }
}

pub(super) const CREATE: Command = Command {
    name: "create",
    alias: Some("group"),
    arguments: &[
        Argument::required("NAME", Kind::Word),
        Argument::optional("PEOPLE", Kind::People),
    ],
    about: "make a private group, encrypted, and invite people to it; a name with spaces goes in quotes",
    examples: &[
        "/create \"The balcony\" juliet@capulet.example",
        "/create Montagues benvolio@montague.example mercutio@verona.example",
    ],
    run: |app, values, actions| create(app, values, false, actions),
};

pub(super) const CHANNEL: Command = Command {
    name: "channel",
    alias: None,
    arguments: &[
        Argument::required("NAME", Kind::Word),
        Argument::optional("ADDRESS", Kind::Address),
    ],
    about: "make a public channel, which everybody may enter and which is not encrypted",
    examples: &["/channel Verona", "/channel Verona verona@conference.montague.example"],
    run: |app, values, actions| create(app, values, true, actions),
};

fn create(
    app: &mut App,
    values: &Values,
    public: bool,
    actions: &mut Vec<Action>,
) -> Result<(), String> {
    let account = account(app)?;
    let name = Some(values.text(0).to_owned());
    let (mut room, mut people) = (None, Vec::new());
    for typed in values.from(1) {
        match public {
            true => room = typed.parse().ok(),
            false => people.push(person(app, Some(typed))?.with),
        }
    }
    let command = Ask::CreateRoom { room, name, public, people };
    app.ask(account, command, Waiting::Enter, actions);
    Ok(())
}

pub(super) const JOIN: Command = Command {
    name: "join",
    alias: Some("enter"),
    arguments: &[
        Argument::optional("ADDRESS", Kind::Room),
        Argument::optional("NICK", Kind::Word),
        Argument::optional("PASSWORD", Kind::Rest),
    ],
    about: "enter a room by its address or a link to it; without one, the room on screen again",
    examples: &[
        "/join square@conference.verona.example",
        "/join xmpp:square@conference.verona.example?join Romeo",
        "/join https://verona.example/#/enter/square%40conference.verona.example/hr9q2c/The%20square",
        "/join",
    ],
    run: join,
};

fn join(app: &mut App, values: &Values, actions: &mut Vec<Action>) -> Result<(), String> {
    let (account, room, secret) = match values.at(0) {
        None => {
            let (key, _) = room(app)?;
            (key.account, key.with, None)
        }
        Some(typed) => {
            let link = room_link::parse(typed)?;
            (account(app)?, link.room, link.secret)
        }
    };
    let nick = values.at(1).map(str::to_owned);
    let password = values.at(2).map(str::to_owned).or(secret);
    enter(app, Key { account, with: room }, nick, password, actions);
    Ok(())
}

/// Enters a room: under which nickname, and with which password or secret.
pub(crate) fn enter(
    app: &mut App,
    Key { account, with: room }: Key,
    nick: Option<String>,
    password: Option<String>,
    actions: &mut Vec<Action>,
) {
    app.say(Notice::good(format!("entering {room}…")));
    let password = password.map(Into::into);
    app.ask(account, Ask::JoinRoom { room, nick, password }, Waiting::Enter, actions);
}

pub(super) const MEMBERS: Command = Command {
    name: "members",
    alias: Some("room"),
    arguments: &[],
    about: "what is known of the room on screen, and who is in it",
    examples: &["/members"],
    run: |app, _, _| {
        let (key, _) = room(app)?;
        app.overlay = Some(Overlay::room(key));
        Ok(())
    },
};

pub(super) const LINK: Command = Command {
    name: "link",
    alias: None,
    arguments: &[Argument::optional("withdraw", Kind::Choice(&["withdraw"]))],
    about: "get a link to a private group that makes whoever follows it a member, for a week; `withdraw` \
            ends all links to it",
    examples: &["/link", "/link withdraw"],
    run: link,
};

fn link(app: &mut App, values: &Values, actions: &mut Vec<Action>) -> Result<(), String> {
    let (key, room) = room(app)?;
    let (offered, open) = (room.links, room.open);
    match values.at(0) {
        _ if open => Err("everybody may enter this room: /members has its address".to_owned()),
        _ if !offered => Err("this room gives you no links; /invite invites somebody".to_owned()),
        None => {
            let command = Ask::RoomLink { room: key.with, seconds: Some(WEEK) };
            app.ask(key.account, command, Waiting::Invitation, actions);
            Ok(())
        }
        Some(_) => {
            app.ask(key.account, Ask::RevokeRoomLinks(key.with), Waiting::Invitation, actions);
            Ok(())
        }
    }
}

/// How long a link is good for, in seconds.
const WEEK: u32 = 7 * 24 * 60 * 60;

pub(super) const KNOCK: Command = Command {
    name: "knock",
    alias: None,
    arguments: &[
        Argument::optional("ADDRESS", Kind::Room),
        Argument::optional("NICK", Kind::Word),
        Argument::optional("WORDS", Kind::Rest),
    ],
    about: "ask the admins of a private group to let you in; without an address, of the one on screen; a \
            nickname with spaces goes in quotes; `withdraw` takes that back",
    examples: &[
        "/knock",
        "/knock square@conference.verona.example Romeo",
        "/knock square@conference.verona.example Romeo It is me",
        "/knock withdraw",
    ],
    run: knock,
};

fn knock(app: &mut App, values: &Values, actions: &mut Vec<Action>) -> Result<(), String> {
    if values.at(0) == Some("withdraw") {
        let (key, _) = room(app)?;
        let said = Waiting::Say("you do not ask any more".to_owned());
        app.ask(key.account, Ask::WithdrawJoinRequest(key.with), said, actions);
        return Ok(());
    }
    let (account, room) = match values.at(0) {
        None => room(app).map(|(key, _)| (key.account, key.with))?,
        Some(typed) => (account(app)?, room_link::parse(typed)?.room),
    };
    let (nick, words) = (values.at(1).map(str::to_owned), values.at(2).map(str::to_owned));
    let name = nick.as_ref().map_or_else(String::new, |nick| format!(" as {nick}"));
    let said = Waiting::Say(format!("asked{name}: you are let in when an admin agrees"));
    app.ask(account, Ask::AskToJoin { room, nick, words }, said, actions);
    Ok(())
}

pub(super) const ADMIT: Command = Command {
    name: "admit",
    alias: None,
    arguments: &[Argument::required("NAME", Kind::Rest)],
    about: "let somebody in who asks to become a member: /members says who does",
    examples: &["/admit Mercutio"],
    run: |app, values, actions| decide(app, values, true, actions),
};

pub(super) const TURN_AWAY: Command = Command {
    name: "turn-away",
    alias: None,
    arguments: &[Argument::required("NAME", Kind::Rest)],
    about: "do not let somebody in who asks to become a member",
    examples: &["/turn-away Tybalt"],
    run: |app, values, actions| decide(app, values, false, actions),
};

fn decide(
    app: &mut App,
    values: &Values,
    allow: bool,
    actions: &mut Vec<Action>,
) -> Result<(), String> {
    let (key, room) = room(app)?;
    let asked = rooms::named(&room.requests, values.text(0))?;
    let (nick, person) = (asked.nick.clone(), asked.address.clone());
    let said = match allow {
        true => format!("{nick} is a member now"),
        false => format!("{nick} is not let in"),
    };
    let command = Ask::AnswerJoinRequest { room: key.with, nick, person, allow };
    app.ask(key.account, command, Waiting::Say(said), actions);
    Ok(())
}

pub(super) const TOPIC: Command = Command {
    name: "topic",
    alias: Some("subject"),
    arguments: &[Argument::required("TEXT", Kind::Rest)],
    about: "say what is talked about in the room",
    examples: &["/topic Where art thou?"],
    run: |app, values, actions| {
        let (key, _) = room(app)?;
        let command = Ask::SetSubject(key.with, values.text(0).to_owned());
        app.ask(key.account, command, Waiting::Quiet, actions);
        Ok(())
    },
};

pub(super) const TITLE: Command = Command {
    name: "title",
    alias: None,
    arguments: &[Argument::required("NAME", Kind::Rest)],
    about: "call the room something else for everybody in it, for its owners",
    examples: &["/title The balcony"],
    run: |app, values, actions| {
        let (key, _) = room(app)?;
        let name = values.text(0).to_owned();
        let said = Waiting::Say(format!("the room is called {name} now"));
        app.ask(key.account, Ask::SetRoomName(key.with, name), said, actions);
        Ok(())
    },
};

pub(super) const ROLE: Command = Command {
    name: "role",
    alias: None,
    arguments: &[WHO, Argument::required("ROLE", Kind::Choice(&ROLES))],
    about: "what somebody is in the room: owners and admins decide who is in it, moderators keep order, \
            visitors may only read",
    examples: &["/role Mercutio admin", "/role Mercutio visitor"],
    run: role,
};

const ROLES: [&str; 7] =
    ["owner", "admin", "member", "none", "moderator", "participant", "visitor"];

fn role(app: &mut App, values: &Values, actions: &mut Vec<Action>) -> Result<(), String> {
    let (typed, wanted) = (values.text(0), values.text(1));
    let said = Waiting::Say(match wanted {
        "none" => format!("{typed} has no special rights any more"),
        wanted => format!("{typed} is {wanted} now"),
    });
    let role = match wanted {
        "moderator" => Some(Role::Moderator),
        "participant" => Some(Role::Participant),
        "visitor" => Some(Role::Visitor),
        _ => None,
    };
    if let Some(role) = role {
        let (key, member) = member(app, typed)?;
        let nick = member.nick.ok_or_else(|| format!("{typed} is not there now"))?;
        let command = Ask::SetRole { room: key.with, nick, role, reason: None };
        app.ask(key.account, command, said, actions);
        return Ok(());
    }
    let affiliation = Affiliation::parse(wanted).unwrap_or_default();
    let (key, person) = address(app, typed)?;
    let command = Ask::SetAffiliation { room: key.with, person, affiliation, reason: None };
    app.ask(key.account, command, said, actions);
    Ok(())
}

pub(super) const KICK: Command = Command {
    name: "kick",
    alias: None,
    arguments: &[WHO, REASON],
    about: "put somebody out of the room; who may enter it can come back",
    examples: &["/kick Tybalt", "/kick Tybalt Enough for today"],
    run: |app, values, actions| {
        let (key, member) = member(app, values.text(0))?;
        let nick = member.nick.ok_or_else(|| format!("{} is not there now", values.text(0)))?;
        let said = Waiting::Say(format!("{nick} was put out"));
        let reason = values.at(1).map(str::to_owned);
        let command = Ask::SetRole { room: key.with, nick, role: Role::None, reason };
        app.ask(key.account, command, said, actions);
        Ok(())
    },
};

pub(super) const BAN: Command = Command {
    name: "ban",
    alias: None,
    arguments: &[WHO, REASON],
    about: "put somebody out of the room for ever; asks first",
    examples: &["/ban Tybalt", "/ban tybalt@capulet.example He draws"],
    run: |app, values, _| {
        let (key, person) = address(app, values.text(0))?;
        let reason = values.at(1).map(str::to_owned);
        let title = format!("Ban {person} from the room?");
        let (room, affiliation) = (key.with, Affiliation::Outcast);
        let command = Ask::SetAffiliation { room, person, affiliation, reason };
        let then = Then::ask(key.account, command, "banned");
        app.overlay = Some(Overlay::Question(Question::new(
            title,
            "They are put out and cannot come back. /unban ends it.",
            vec![('y', "yes, ban", then), ('n', "no", Then::Nothing)],
        )));
        Ok(())
    },
};

pub(super) const UNBAN: Command = Command {
    name: "unban",
    alias: None,
    arguments: &[Argument::required("ADDRESS", Kind::Address)],
    about: "let somebody enter the room again who was banned",
    examples: &["/unban tybalt@capulet.example"],
    run: |app, values, actions| {
        let (key, _) = room(app)?;
        let person: BareJid = values.text(0).parse().map_err(|_| "that is not an address")?;
        let said = Waiting::Say(format!("{person} is no longer banned"));
        let (room, affiliation) = (key.with, Affiliation::None);
        let command = Ask::SetAffiliation { room, person, affiliation, reason: None };
        app.ask(key.account, command, said, actions);
        Ok(())
    },
};

pub(super) const NOTIFY: Command = Command {
    name: "notify",
    alias: None,
    arguments: &[Argument::required("WHICH", Kind::Choice(&["all", "mentions", "none"]))],
    about: "which messages of the room ring and notify: all, those that name you, or none",
    examples: &["/notify mentions", "/notify all"],
    run: |app, values, actions| {
        let (key, _) = room(app)?;
        let (mute, notify, said) = match values.text(0) {
            "all" => (Mute::No, Notify::All, "every message notifies"),
            "mentions" => (Mute::No, Notify::Mentions, "only messages that name you notify"),
            _ => (Mute::Forever, Notify::Mentions, "nothing notifies"),
        };
        app.ask(key.account, Ask::Mute(key.with.clone(), mute), Waiting::Quiet, actions);
        let said = Waiting::Say(said.to_owned());
        app.ask(key.account, Ask::Notify(key.with, notify), said, actions);
        Ok(())
    },
};

pub(super) const LEAVE: Command = Command {
    name: "leave",
    alias: Some("part"),
    arguments: &[],
    about: "leave the room, on all your devices; what was written stays and can be searched",
    examples: &["/leave"],
    run: |app, _, actions| {
        let (key, _) = room(app)?;
        let said = Waiting::Say("you have left the room; /join enters it again".to_owned());
        app.ask(key.account, Ask::LeaveRoom(key.with.clone()), said, actions);
        app.ask(key.account, Ask::Hide(key.with), Waiting::Quiet, actions);
        app.close();
        Ok(())
    },
};

pub(super) const DESTROY: Command = Command {
    name: "destroy",
    alias: None,
    arguments: &[REASON],
    about: "close the room for everybody, for its owners; asks first",
    examples: &["/destroy", "/destroy All are punished"],
    run: |app, values, _| {
        let (key, room) = room(app)?;
        let title = format!("Destroy {}?", room.name);
        let reason = values.at(0).map(str::to_owned);
        let then = Then::ask(key.account, Ask::DestroyRoom(key.with, reason), "destroyed");
        app.overlay = Some(Overlay::Question(Question::new(
            title,
            "Nobody can enter it any more, and its archive is gone. What devices have they keep.",
            vec![('y', "yes, destroy it", then), ('n', "no", Then::Nothing)],
        )));
        Ok(())
    },
};

/// Invites somebody to the room on screen.
pub(super) fn invite(
    app: &mut App,
    values: &Values,
    actions: &mut Vec<Action>,
) -> Result<(), String> {
    let (key, private) = room(app).map(|(key, room)| (key, room.private))?;
    let person = person(app, values.at(0))?.with;
    let said = match private {
        true => format!("{person} is invited, and reads what is written from now on"),
        false => format!("{person} is invited"),
    };
    let reason = values.at(1).map(str::to_owned);
    let command = Ask::InviteToRoom { room: key.with, person, reason };
    app.ask(key.account, command, Waiting::Say(said), actions);
    Ok(())
}
