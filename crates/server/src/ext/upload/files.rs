//! "Your files": an ad-hoc command (XEP-0050) with which people see and delete what they uploaded.

use store::uploads::{File, Purpose};
use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        disco::{Item, Items},
        form::{Field, FieldType, Form, FormType},
    },
    ns,
    time::Millis,
    xml::Element,
};

use super::{clear, disk};
use crate::{
    ext::{IqAnswer, IqContext, IqFuture, commands::answer},
    files::size,
    iq::Iq,
};

/// The node of the command.
const NODE: &str = "files";
/// Files in the list.
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
            (_, Some(form)) => delete(context, iq, &form).await,
            (_, None) => list(context, iq).await,
        }
    })
}

async fn list(context: &IqContext<'_>, iq: &Iq) -> IqAnswer {
    let (server, account) = (context.server, context.owner()?.id);
    let failed = |error| server.store_failed("files", &error);
    let files = server.store.uploads.list(account, LISTED).await.map_err(failed)?;
    let config = server.config();
    let mut lines = Vec::new();
    for (what, purposes) in [
        ("Shared files", vec![Purpose::Message, Purpose::Ephemeral]),
        ("Profile", vec![Purpose::Profile]),
        ("Kept for good", vec![Purpose::Permanent]),
    ] {
        let quota = super::quota(&config.upload, purposes[0]);
        let usage = server.store.uploads.usage(account, purposes).await.map_err(failed)?;
        if quota > 0 {
            lines.push(format!("{what}: {} of {}.", size(usage.bytes), size(quota)));
        }
    }
    if files.is_empty() {
        return Ok(Some(noted(iq, &format!("You have no files here. {}", lines.join(" ")))));
    }
    let choice = Field::new("delete", FieldType::ListMulti).with_label("Delete these");
    let choice = files
        .iter()
        .fold(choice, |choice, file| choice.with_option(describe(file), disk::file_name(file.id)));
    let form = Form::new(FormType::Form)
        .with_title("Your files")
        .with_instructions(lines.join(" "))
        .with_field(choice);
    Ok(Some(answer(iq, NODE, "executing", Some(form))))
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
