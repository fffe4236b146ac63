//! XEP-0363: HTTP File Upload 1.2.0, and fetching files
//!
//! The core decides on addresses and keys; the driver moves the bytes. A file is a message of the
//! timeline from the start: it waits there until it is uploaded, and then takes the way of every
//! other message.

use std::collections::BTreeMap;

use xmpp::ext::disco::{Info, Items};
use xmpp::jid::Jid;
use xmpp::ns;
use xmpp::xml::Element;

use super::{Feature, Spec, file, message, reply};
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::effect::{Effect, FileKey, LocalFile, Transfer, TransferEvent, TransferId};
use crate::iq::Answer;
use crate::store::{Content, Delivery, File, Message, MessageId, Preview};
use crate::timeline;
use crate::view::{Change, Outcome, Problem};

pub(crate) const FEATURE: Feature = Feature {
    name: "upload",
    specs: &[Spec { number: "XEP-0363", version: "1.2.0" }],
    online: Some(on_online),
    ended: Some(on_ended),
    command: Some(command),
    transfer: Some(on_transfer),
    ..Feature::NOTHING
};

/// What is being transferred.
#[derive(Default)]
pub(crate) struct State {
    /// Where to ask for slots, and the largest file.
    service: Option<(Jid, Option<u64>)>,
    running: BTreeMap<TransferId, Running>,
    /// Messages whose files wait for a session.
    waiting: Vec<MessageId>,
}

struct Running {
    message: MessageId,
    kind: Kind,
}

enum Kind {
    /// The file will be at this address.
    Upload { get: String, key: Option<FileKey> },
    /// The file will be there; the request ends then.
    Download { into: LocalFile, number: u64 },
}

/// Looks for the service (§4).
fn on_online(cx: &mut Cx<'_>) -> Step {
    let domain = Jid::new(cx.me.domain().as_str()).ok();
    cx.iq_get(domain, Element::new("query", ns::DISCO_ITEMS), |cx, answer| {
        let items = answer.payload("query", ns::DISCO_ITEMS).and_then(Items::parse);
        let items = items.map(|items| items.items).unwrap_or_default();
        for item in items.into_iter().take(MAX_SERVICES) {
            let jid = item.jid.clone();
            let query = Element::new("query", ns::DISCO_INFO);
            cx.iq_get(Some(item.jid), query, move |cx, answer| on_service(cx, jid, &answer))?;
        }
        Ok(())
    })
}

fn on_service(cx: &mut Cx<'_>, jid: Jid, answer: &Answer) -> Step {
    let info = answer.payload("query", ns::DISCO_INFO).and_then(Info::parse);
    let Some(info) = info.filter(|info| info.has_feature(ns::HTTP_UPLOAD)) else { return Ok(()) };
    let mut forms = info.forms.iter().filter(|form| form.form_type() == Some(ns::HTTP_UPLOAD));
    let most = forms.find_map(|form| form.value("max-file-size")?.parse().ok());
    cx.state.features.upload.service = Some((jid, most));
    for id in std::mem::take(&mut cx.state.features.upload.waiting) {
        begin(cx, id)?;
    }
    Ok(())
}

fn on_ended(cx: &mut Cx<'_>) -> Step {
    cx.state.features.upload.service = None;
    Ok(())
}

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    match command {
        Command::SendFile { .. }
            if cx.state.outbox.is_full()
                || cx.state.features.upload.waiting.len() >= MAX_WAITING =>
        {
            cx.failed(number, Problem::Invalid("too many messages wait".to_owned()));
        }
        Command::SendFile {
            to,
            file,
            name,
            size,
            media_type,
            caption,
            preview,
            reply_to,
            encryption,
        } => {
            let me = cx.me.clone();
            let mut message = timeline::blank(&to, &me, cx.moment());
            message.own = true;
            message.origin_id = Some(cx.rng.id());
            message.delivery = Some(Delivery::Queued);
            message.reply = match reply_to {
                Some(answered) => reply::to(cx, answered)?,
                None => None,
            };
            let preview = preview.map(|preview| Preview {
                thumbnail: preview.thumbnail.and_then(|uri| file::thumbnail(&uri)),
                ..preview
            });
            let file = File {
                name: file::safe_name(&name),
                size: Some(size),
                media_type: Some(media_type),
                url: None,
                key: None,
                local: Some(file.0),
                preview,
            };
            message.content = Content::File(file, None);
            let way = timeline::way(cx, &to, encryption);
            message.way = way;
            let id = timeline::insert(cx, message, false)?;
            timeline::expect(cx, id, number);
            begin(cx, id)?;
            if let Some(text) = caption.filter(|text| !text.trim().is_empty()) {
                message::compose(cx, &to, text, way)?;
            }
        }
        Command::Download(id, into) => download(cx, number, id, into)?,
        Command::CancelTransfer(id) => {
            cancel(cx, id)?;
            cx.done(number, Outcome::Done);
        }
        command => return Ok(Some(command)),
    }
    Ok(None)
}

/// A file that is to be uploaded: asks for a slot now, or once there is a service.
pub(crate) fn begin(cx: &mut Cx<'_>, id: MessageId) -> Step {
    let Some(message) = cx.store.message(id)? else { return Ok(()) };
    let Content::File(file, _) = &message.content else { return Ok(()) };
    let Some((service, most)) = cx.state.features.upload.service.clone().filter(|_| cx.online())
    else {
        let waiting = &mut cx.state.features.upload.waiting;
        if !waiting.contains(&id) {
            waiting.push(id);
        }
        return remember(cx, id, true);
    };
    let encrypted = timeline::leaves_encrypted(cx, &message);
    let size = file.size.unwrap_or(0).saturating_add(if encrypted { TAG_BYTES } else { 0 });
    if most.is_some_and(|most| size > most) {
        return fail(
            cx,
            id,
            &format!("the server takes files of up to {} bytes", most.unwrap_or(0)),
        );
    }
    remember(cx, id, true)?;
    // What an encrypted file is called and is, the server need not know.
    let (name, kind) = if encrypted {
        (format!("{}.bin", cx.rng.id()), "application/octet-stream".to_owned())
    } else {
        (file.name.clone(), file.media_type.clone().unwrap_or_default())
    };
    let request = Element::new("request", ns::HTTP_UPLOAD)
        .with_attr("filename", name)
        .with_attr("size", size.to_string())
        .with_attr("content-type", kind);
    cx.iq_get(Some(service), request, move |cx, answer| on_slot(cx, id, encrypted, &answer))
}

fn on_slot(cx: &mut Cx<'_>, id: MessageId, encrypted: bool, answer: &Answer) -> Step {
    // It was called off meanwhile, and perhaps begun anew.
    let mut running = cx.state.features.upload.running.values();
    let begun = running.any(|one| one.message == id && matches!(one.kind, Kind::Upload { .. }));
    if begun || !is_unfinished(cx, id)? {
        return Ok(());
    }
    if *answer == Answer::Lost && !cx.online() {
        // There is no session any more: it waits for the next one.
        return begin(cx, id);
    }
    let Some(slot) = answer.payload("slot", ns::HTTP_UPLOAD) else {
        let problem = answer.problem().map(|problem| problem.to_string());
        return fail(cx, id, &problem.unwrap_or_else(|| "the server gave no place".to_owned()));
    };
    let put = slot.child("put", ns::HTTP_UPLOAD);
    let url = |element: Option<&Element>| {
        let url = element?.attr("url")?;
        url.starts_with("https://").then(|| url.to_owned())
    };
    let addresses = url(put).zip(url(slot.child("get", ns::HTTP_UPLOAD)));
    let message = cx.store.message(id)?;
    let Some(((url, get), message)) = addresses.zip(message) else {
        return fail(cx, id, "the server gave no safe place");
    };
    // The conversation may be encrypted since the server began to think.
    if encrypted != timeline::leaves_encrypted(cx, &message) {
        return begin(cx, id);
    }
    let Content::File(File { local: Some(local), .. }, _) = message.content else { return Ok(()) };
    let key = encrypted.then(|| FileKey { key: cx.rng.bytes(), iv: cx.rng.bytes::<12>().to_vec() });
    let headers = put.map(headers).unwrap_or_default();
    let transfer = Transfer::Upload { file: LocalFile(local), url, headers, cipher: key.clone() };
    let transfer = cx.transfer(transfer);
    let running = Running { message: id, kind: Kind::Upload { get, key } };
    cx.state.features.upload.running.insert(transfer, running);
    Ok(())
}

/// The three headers that a service may ask for, without line breaks (§4).
fn headers(put: &Element) -> Vec<(String, String)> {
    let allowed = ["authorization", "cookie", "expires"];
    let clean = |text: &str| text.chars().filter(|one| !one.is_control()).collect::<String>();
    let headers = put.children().filter(|child| child.is("header", ns::HTTP_UPLOAD));
    let headers = headers.filter_map(|header| {
        let name = clean(header.attr("name")?);
        let known = allowed.iter().any(|allowed| name.eq_ignore_ascii_case(allowed));
        known.then(|| (name, clean(&header.text())))
    });
    headers.take(MAX_HEADERS).collect()
}

fn on_transfer(cx: &mut Cx<'_>, id: TransferId, event: &TransferEvent) -> Step<bool> {
    let Some(running) = cx.state.features.upload.running.get(&id) else { return Ok(false) };
    let message = running.message;
    if let TransferEvent::Progress(bytes) = event {
        cx.view(Change::Transfer(message, *bytes));
        return Ok(true);
    }
    let Some(running) = cx.state.features.upload.running.remove(&id) else { return Ok(false) };
    match (event, running.kind) {
        (TransferEvent::Finished { .. }, Kind::Upload { get, key }) => {
            uploaded(cx, message, get, key.as_ref())?;
        }
        (TransferEvent::Finished { size, .. }, Kind::Download { into, number }) => {
            downloaded(cx, number, message, into, *size)?;
        }
        (TransferEvent::Failed(reason), Kind::Upload { .. }) => fail(cx, message, reason)?,
        (TransferEvent::Failed(reason), Kind::Download { number, .. }) => {
            cx.failed(number, Problem::Transfer(reason.clone()));
        }
        (TransferEvent::Progress(_), _) => {}
    }
    Ok(true)
}

/// The file is on the server: now the message can go.
fn uploaded(cx: &mut Cx<'_>, id: MessageId, get: String, key: Option<&FileKey>) -> Step {
    remember(cx, id, false)?;
    let Some(mut message) = cx.store.message(id)? else { return Ok(()) };
    if let Content::File(file, _) = &mut message.content {
        file.url = Some(get);
        file.key = key.map(file::write_key);
    }
    timeline::save(cx, &message)?;
    message::submit(cx, id)
}

fn fail(cx: &mut Cx<'_>, id: MessageId, reason: &str) -> Step {
    cx.state.features.upload.waiting.retain(|waiting| *waiting != id);
    remember(cx, id, false)?;
    timeline::on_not_transferred(cx, id, reason)
}

fn download(cx: &mut Cx<'_>, number: u64, id: MessageId, into: LocalFile) -> Step {
    let message = cx.store.message(id)?;
    let Some(Message { content: Content::File(file, _), .. }) = message else {
        cx.failed(number, Problem::Unknown("file"));
        return Ok(());
    };
    let cipher = file.key.as_deref().map(file::parse_key);
    let (Some(url), false) = (file.url, matches!(cipher, Some(None))) else {
        cx.failed(number, Problem::Transfer("its address makes no sense".to_owned()));
        return Ok(());
    };
    if !url.starts_with("https://") {
        cx.failed(number, Problem::Transfer("its address is not safe".to_owned()));
        return Ok(());
    }
    let cipher = cipher.flatten();
    // Whoever decides by the size whether to fetch it gets no more than that.
    let told = file.size.map_or(MAX_DOWNLOAD, |size| size.saturating_add(SLACK));
    let most = told.min(MAX_DOWNLOAD);
    let transfer = Transfer::Download { url, cipher, most, into: into.clone() };
    let transfer = cx.transfer(transfer);
    let running = Running { message: id, kind: Kind::Download { into, number } };
    cx.state.features.upload.running.insert(transfer, running);
    Ok(())
}

fn downloaded(cx: &mut Cx<'_>, number: u64, id: MessageId, into: LocalFile, size: u64) -> Step {
    let Some(mut message) = cx.store.message(id)? else {
        cx.failed(number, Problem::Unknown("file"));
        return Ok(());
    };
    let Content::File(file, _) = &mut message.content else {
        // It was taken back meanwhile.
        cx.failed(number, Problem::Unknown("file"));
        return Ok(());
    };
    file.local = Some(into.0);
    file.size = Some(size);
    let file = file.clone();
    timeline::save(cx, &message)?;
    cx.done(number, Outcome::Downloaded(file));
    Ok(())
}

/// Stops what is going on about a message's file: one that waits, asks for its place or is on its way
/// is not sent, and one that is being fetched is not fetched.
pub(crate) fn cancel(cx: &mut Cx<'_>, id: MessageId) -> Step {
    let running = cx.state.features.upload.running.iter();
    let stopped =
        running.filter(|(_, running)| running.message == id).map(|(transfer, _)| *transfer);
    for transfer in stopped.collect::<Vec<_>>() {
        cx.effects.push(Effect::CancelTransfer(transfer));
        let running = cx.state.features.upload.running.remove(&transfer);
        if let Some(Running { kind: Kind::Download { number, .. }, .. }) = running {
            cx.failed(number, Problem::Cancelled);
        }
    }
    if is_unfinished(cx, id)? { fail(cx, id, "cancelled") } else { Ok(()) }
}

/// Whether a file is to be uploaded and is not yet.
fn is_unfinished(cx: &Cx<'_>, id: MessageId) -> Step<bool> {
    Ok(unfinished_ids(cx)?.contains(&id.0))
}

/// Remembers on disk that a file is not uploaded yet.
fn remember(cx: &Cx<'_>, id: MessageId, unfinished: bool) -> Step {
    let mut ids = unfinished_ids(cx)?;
    if ids.contains(&id.0) == unfinished {
        return Ok(());
    }
    ids.retain(|known| *known != id.0);
    if unfinished {
        ids.push(id.0);
    }
    let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_be_bytes()).collect();
    cx.store
        .save_value(UNFINISHED, Some(&bytes).filter(|bytes| !bytes.is_empty()).map(Vec::as_slice))
}

fn unfinished_ids(cx: &Cx<'_>) -> Step<Vec<i64>> {
    let bytes = cx.store.value(UNFINISHED)?;
    let (chunks, _) = bytes.as_deref().map_or(&[][..], Vec::as_slice).as_chunks::<8>();
    Ok(chunks.iter().map(|chunk| i64::from_be_bytes(*chunk)).collect())
}

/// The messages whose files are to be uploaded, or are on their way in either direction.
pub(crate) fn messages(cx: &Cx<'_>) -> Step<Vec<MessageId>> {
    let running = cx.state.features.upload.running.values().map(|running| running.message);
    Ok(unfinished_ids(cx)?.into_iter().map(MessageId).chain(running).collect())
}

/// The program was started: uploads that were going on begin again.
pub(crate) fn on_start(cx: &mut Cx<'_>) -> Step {
    for id in unfinished_ids(cx)? {
        begin(cx, MessageId(id))?;
    }
    Ok(())
}

/// The name under which messages with files that are not uploaded are stored.
const UNFINISHED: &str = "uploads";
/// The tag of AES-GCM follows the ciphertext.
const TAG_BYTES: u64 = 16;
/// Services of a server that are asked, and headers of a slot.
const MAX_SERVICES: usize = 32;
const MAX_HEADERS: usize = 16;
/// Files that may wait for a session.
const MAX_WAITING: usize = 200;
/// By so many bytes a file may be larger than it was said to be.
const SLACK: u64 = 64 * 1024;
/// Larger files of others are not fetched.
const MAX_DOWNLOAD: u64 = 1024 * 1024 * 1024;
