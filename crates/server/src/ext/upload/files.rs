//! "Your files": an ad-hoc command (XEP-0050) with which people see and delete what they uploaded.

use store::{
    AccountId,
    uploads::{File, Place, Purpose, Select},
};
use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        disco::{Item, Items},
        form::{Field, FieldType, Form, FormType},
        rsm,
    },
    ns,
    time::Millis,
    xml::Element,
};

use super::{clear, disk};
use crate::{
    ext::{IqAnswer, IqContext, IqFuture, commands::answer, pages},
    files::size,
    iq::Iq,
};

/// The node of the command.
const NODE: &str = "files";
/// The fields that say which page it is.
const FIRST: &str = "first";
const LAST: &str = "last";
/// Files on a page of the list.
const LISTED: u32 = 200;

/// The commands of the service.
pub(super) fn commands(_: &IqContext<'_>, iq: &Iq) -> Items {
    let mut items = Items { node: Some(ns::COMMANDS.into()), ..Items::default() };
    if let Some(jid) = &iq.to {
        items.items.push(Item::new(jid.clone()).with_node(NODE).with_name("Your files"));
    }
    items
}

pub(super) fn command<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        if iq.payload.attr("node") != Some(NODE) {
            return Err(StanzaError::new(Condition::ItemNotFound));
        }
        match (iq.payload.attr("action"), Form::child_of(&iq.payload)) {
            (Some("cancel"), _) => Ok(Some(answer(iq, NODE, "canceled", None))),
            (Some(action @ ("next" | "prev")), form) => turn(context, iq, action, form).await,
            (_, Some(form)) => delete(context, iq, &form).await,
            (_, None) => list(context, iq, rsm::Request::child_of(&iq.payload)).await,
        }
    })
}

/// Turns a page: the form says where the one before begins and ends (XEP-0050 §3.3).
async fn turn(context: &IqContext<'_>, iq: &Iq, action: &str, form: Option<Form>) -> IqAnswer {
    let known = |name: &str| form.as_ref().and_then(|form| form.value(name)).map(str::to_owned);
    let position = match action {
        "next" => known(LAST).map(rsm::Position::After),
        _ => known(FIRST).map(rsm::Position::Before),
    };
    let position = position.unwrap_or_default();
    list(context, iq, Some(rsm::Request { max: None, position })).await
}

/// A page of the list, as a form in which files are chosen (XEP-0059).
async fn list(context: &IqContext<'_>, iq: &Iq, asked: Option<rsm::Request>) -> IqAnswer {
    let (server, account) = (context.server, context.owner()?.id);
    let failed = |error| server.store_failed("files", &error);
    let uploads = &server.store.uploads;
    let (paged, request) = (asked.is_some(), asked.unwrap_or_default());
    let most = request.max.map_or(LISTED, |max| LISTED.min(u32::try_from(max).unwrap_or(LISTED)));
    let files = match (select(&request.position)?, most) {
        (_, 0) => Vec::new(),
        (select, most) => uploads.list(account, select, most).await.map_err(failed)?,
    };
    let room = pages::room(&server.config());
    let fits = pages::fit(&files, &request.position, room, option);
    let files = files.get(fits).unwrap_or_default();
    let counted = uploads.count(account, files.first().map(place)).await.map_err(failed)?;
    let [before, all] = [counted.0, counted.1].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let said = quotas(context, account).await?;
    if all == 0 {
        return Ok(Some(noted(iq, &format!("You have no files here. {said}"))));
    }
    let choice = Field::new("delete", FieldType::ListMulti).with_label("Delete these");
    let choice = files
        .iter()
        .fold(choice, |choice, file| choice.with_option(describe(file), disk::file_name(file.id)));
    let uids: Vec<String> = files.iter().map(|file| uid(place(file))).collect();
    let described = pages::described(uids.iter().map(String::as_str), before, all);
    let shown = match files.len() == all {
        true => String::new(),
        false => format!(" Files {} to {} of {all}.", before + 1, before + files.len()),
    };
    let mut form = Form::new(FormType::Form)
        .with_title("Your files")
        .with_instructions(format!("{said}{shown}"));
    for (name, uid) in [(FIRST, uids.first()), (LAST, uids.last())] {
        if let Some(uid) = uid.filter(|_| files.len() < all) {
            form = form.with_field(Field::new(name, FieldType::Hidden).with_value(uid.as_str()));
        }
    }
    let mut command = answer(iq, NODE, "executing", Some(form.with_field(choice)));
    let (earlier, later) = (before > 0, before + files.len() < all);
    let actions = command.children_mut().find(|child| child.is("actions", ns::COMMANDS));
    if let Some(actions) = actions {
        actions.retain_children(|_| false);
        for (name, there) in [("prev", earlier), ("next", later), ("complete", true)] {
            if there {
                actions.push(Element::new(name, ns::COMMANDS));
            }
        }
    }
    let partial = paged || files.len() < all;
    Ok(Some(command.with_children(partial.then(|| described.to_element()))))
}

/// What is used of what an account may have, in words.
async fn quotas(context: &IqContext<'_>, account: AccountId) -> Result<String, StanzaError> {
    let server = context.server;
    let config = server.config();
    let mut lines = Vec::new();
    for (what, purposes) in [
        ("Shared files", vec![Purpose::Message, Purpose::Ephemeral]),
        ("Profile", vec![Purpose::Profile]),
        ("Kept for good", vec![Purpose::Permanent]),
    ] {
        let quota = super::quota(&config.upload, purposes[0]);
        let usage = server.store.uploads.usage(account, purposes).await;
        let usage = usage.map_err(|error| server.store_failed("files", &error))?;
        if quota > 0 {
            lines.push(format!("{what}: {} of {}.", size(usage.bytes), size(quota)));
        }
    }
    Ok(lines.join(" "))
}

fn place(file: &File) -> Place {
    Place { created: file.created, id: file.id }
}

/// What stands for a place of the list: it is found again when the file is gone.
fn uid(place: Place) -> String {
    format!("{}-{}", place.created.0, disk::file_name(place.id))
}

fn select(position: &rsm::Position) -> Result<Select, StanzaError> {
    let place = |uid: &str| {
        let place = uid.split_once('-').and_then(|(created, id)| {
            let created = store::Millis(created.parse().ok()?);
            Some(Place { created, id: disk::id_of(id)? })
        });
        place.ok_or_else(|| StanzaError::new(Condition::ItemNotFound))
    };
    Ok(match position {
        rsm::Position::First => Select::First,
        rsm::Position::After(uid) => Select::After(place(uid)?),
        rsm::Position::Before(uid) => Select::Before(place(uid)?),
        rsm::Position::Last => Select::Last,
        rsm::Position::Index(number) => Select::From(u64::try_from(*number).unwrap_or(u64::MAX)),
    })
}

/// The file in the form.
fn option(file: &File) -> Element {
    let value = Element::new("value", ns::DATA_FORMS).with_text(disk::file_name(file.id));
    Element::new("option", ns::DATA_FORMS).with_attr("label", describe(file)).with_child(value)
}

async fn delete(context: &IqContext<'_>, iq: &Iq, form: &Form) -> IqAnswer {
    let server = context.server;
    let ids = form.values("delete").iter().filter_map(|id| disk::id_of(id)).collect();
    let deleted = server.store.uploads.delete(context.owner()?.id, Some(ids)).await;
    let deleted = deleted.map_err(|error| server.store_failed("files", &error))?;
    clear(&server.store, &server.uploads).await;
    let note = match deleted {
        1 => "1 file was deleted.".to_owned(),
        many => format!("{many} files were deleted."),
    };
    Ok(Some(noted(iq, &note)))
}

/// A command that is done, with a sentence.
fn noted(iq: &Iq, sentence: &str) -> Element {
    let note = Element::new("note", ns::COMMANDS).with_attr("type", "info").with_text(sentence);
    answer(iq, NODE, "completed", None).with_child(note)
}

fn describe(file: &File) -> String {
    let since = day(file.created);
    let until = file.expires.map_or_else(String::new, |end| format!(", until {}", day(end)));
    format!("{} ({}, {since}{until})", file.name, size(file.size))
}

fn day(time: store::Millis) -> String {
    Millis(time.0).xep0082().chars().take(10).collect()
}
