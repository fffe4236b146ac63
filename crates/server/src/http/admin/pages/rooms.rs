//! Rooms.

use super::{
    super::{
        super::html::Html,
        Form,
        lists::{
            Button, choice, day, facts, filled, form, hidden, line, link, section, table, tick,
            ticked, words,
        },
        session::Signed,
    },
    ask, kept_days, operations,
    paging::Wish,
};
use crate::{
    admin::{Fault, Member, Request, Response, Room, RoomSettings},
    ext::archive::retention,
    server::Server,
};

/// The rooms of the server.
pub(super) async fn list(server: &Server, signed: &Signed, query: &Form) -> Result<Html, Fault> {
    let wish = Wish::of("rooms", query);
    let page = operations(server)?.room_page(wish.wanted()).await?;
    let rows = page.rows.iter().map(|room| {
        [
            link("rooms/", &room.address, &room.address),
            words(room.title.as_deref().unwrap_or_default()),
            words(room.kind()),
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
    let kept = retention::words(room.kept_days.unwrap_or_default());
    let rows = vec![
        [words("Address"), words(&room.address)],
        [words("Title"), words(room.title.as_deref().unwrap_or_default())],
        [words("Kind"), words(room.kind())],
        [words("People inside"), words(&room.occupants.unwrap_or(0).to_string())],
        [words("Made by"), words(room.creator.as_deref().unwrap_or("unknown"))],
        [words("Made"), day(&room.created)],
        [words("Messages are kept"), words(&kept)],
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
    let people = people.html(&affiliation(signed, &room));
    let change = room.settings.as_ref().map(|settings| change(signed, &room, settings));
    let fields = hidden("room", &room.address).html(&kept_days());
    let keep = form(signed, "room-retention", &fields, Button::plain("Keep them for that long"));
    Ok(facts(rows)
        .html(&section("Who belongs to it", &people))
        .html(&section("Change", &change.unwrap_or_default()))
        .html(&section("How long messages are kept", &keep))
        .html(&section("Destroy", &destroy)))
}

/// The form that puts somebody on a list of a room.
fn affiliation(signed: &Signed, room: &Room) -> Html {
    let fields = hidden("room", &room.address)
        .html(&line("who", "Address", "required autocapitalize=\"none\" autocomplete=\"off\""))
        .html(&choice(
            "affiliation",
            "Is to be",
            &[
                ("member", "a member"),
                ("admin", "an admin"),
                ("owner", "an owner"),
                ("outcast", "banned"),
                ("none", "on no list"),
            ],
        ))
        .html(&line("reason", "What the people in it are told", ""));
    form(signed, "room-affiliation", &fields, Button::new("Set it"))
}

/// The form with how a room is meant to be used.
fn change(signed: &Signed, room: &Room, settings: &RoomSettings) -> Html {
    let yes = |value: Option<bool>| value == Some(true);
    let fields = hidden("room", &room.address)
        .html(&filled(
            "title",
            "What people call it",
            settings.title.as_deref().unwrap_or_default(),
        ))
        .html(&filled(
            "description",
            "A sentence about it",
            settings.description.as_deref().unwrap_or_default(),
        ))
        .html(&ticked("public", "Everybody can find it in the list", yes(settings.public)))
        .html(&ticked(
            "members_only",
            "Only members come in; others who are inside have to leave",
            yes(settings.members_only),
        ))
        .html(&ticked("moderated", "Newcomers can only read", yes(settings.moderated)))
        .html(&ticked("archived", "Messages are kept", yes(settings.archived)));
    form(signed, "room-set", &fields, Button::new("Change it"))
}
