//! Rooms.

use super::{
    super::{
        super::html::Html,
        Form,
        lists::{Button, day, facts, form, hidden, line, link, section, table, tick, words},
        session::Signed,
    },
    ask, operations,
    paging::Wish,
};
use crate::{
    admin::{Fault, Member, Request, Response, Room},
    server::Server,
};

fn kind(room: &Room) -> &'static str {
    match (room.public, room.members_only) {
        (true, false) => "public",
        (false, true) => "private",
        (true, true) => "public, for members",
        (false, false) => "hidden",
    }
}

/// The rooms of the server.
pub(super) async fn list(server: &Server, signed: &Signed, query: &Form) -> Result<Html, Fault> {
    let wish = Wish::of("rooms", query);
    let page = operations(server)?.room_page(wish.wanted()).await?;
    let rows = page.rows.iter().map(|room| {
        [
            link("rooms/", &room.address, &room.address),
            words(room.title.as_deref().unwrap_or_default()),
            words(kind(room)),
            words(&room.members.to_string()),
            words(&room.occupants.unwrap_or(0).to_string()),
            day(&room.created),
        ]
    });
    let list = wish.search().html(&table(
        ["Address", "Title", "Kind", "Members", "Inside", "Made"],
        rows.collect(),
        "There are no such rooms.",
    ));
    let list = list.html(&wish.foot(&page));
    let fields = line("room", "Name", "required autocapitalize=\"none\"")
        .html(&line("owner", "The account that owns it", "required autocapitalize=\"none\""))
        .html(&line("title", "What people call it", ""))
        .html(&tick("public", "A channel that everybody can find and enter"));
    Ok(list.html(&section(
        "A new room",
        &form(signed, "room-create", &fields, Button::new("Make it")),
    )))
}

/// One room, and what can be done with it.
pub(super) async fn one(
    server: &Server,
    signed: &Signed,
    name: &str,
    query: &Form,
) -> Result<Html, Fault> {
    let found = ask(server, signed, Request::RoomShow { room: name.to_owned() }).await?;
    let Response::Rooms(rooms) = found else { return Ok(Html::new()) };
    let Some(room) = rooms.into_iter().next() else { return Ok(Html::new()) };
    let listed = ask(server, signed, Request::RoomMembers { room: room.address.clone() }).await?;
    let Response::Members(members) = listed else { return Ok(Html::new()) };
    let rows = vec![
        [words("Address"), words(&room.address)],
        [words("Title"), words(room.title.as_deref().unwrap_or_default())],
        [words("Kind"), words(kind(&room))],
        [words("People inside"), words(&room.occupants.unwrap_or(0).to_string())],
        [words("Made by"), words(room.creator.as_deref().unwrap_or("unknown"))],
        [words("Made"), day(&room.created)],
    ];
    let encoded: String = form_urlencoded::byte_serialize(room.address.as_bytes()).collect();
    let wish = Wish::of(format!("rooms/{encoded}"), query);
    let text = |member: &Member| {
        format!("{} {}", member.address, member.nick.as_deref().unwrap_or_default())
    };
    let passed = |member: &Member, after: &str| member.address.as_str() <= after;
    let page = wish.cut(members, text, |member| member.address.clone(), passed);
    let people = page.rows.iter().map(|member| {
        [
            words(&member.address),
            words(&member.affiliation),
            words(member.nick.as_deref().unwrap_or_default()),
            words(member.reason.as_deref().unwrap_or_default()),
        ]
    });
    let people =
        table(["Address", "Affiliation", "Nickname", "Reason"], people.collect(), "Nobody.");
    let people = wish.search().html(&people).html(&wish.foot(&page));
    let fields = hidden("room", &room.address)
        .html(&line("reason", "What the people in it are told", ""))
        .html(&line(
            "confirm",
            "Type the address again",
            "required autocapitalize=\"none\" autocomplete=\"off\"",
        ));
    let destroy = Html::new().raw("<p>With its archive, for good.</p>\n").html(&form(
        signed,
        "room-destroy",
        &fields,
        Button::danger("Destroy the room"),
    ));
    Ok(facts(rows).html(&section("Who belongs to it", &people)).html(&section("Destroy", &destroy)))
}
