//! XEP-0363: HTTP File Upload 1.2.0
//!
//! The service at `upload.DOMAIN` gives out slots; [`crate::http::upload`] takes the files and gives
//! them to whoever has the link. [`disk`] keeps their bytes, the store keeps everything else.

pub mod disk;
mod files;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use store::{
    Millis as StoreMillis, Store, StoreError,
    uploads::{Budget, File, FileId, Purpose, ReserveError},
};
use subtle::ConstantTimeEq as _;
use xmpp::{
    error::{Condition, ErrorType, StanzaError},
    ext::{
        disco::{Identity, Info, Item, Items},
        form::{Field, FieldType, Form, FormType},
        upload::{self, Request, Slot},
    },
    jid::Jid,
    ns,
    time::Millis,
};

use self::disk::Disk;
use super::{Extension, IqAnswer, IqContext, IqFuture, IqRoute, Scope, Spec, features, forms};
use crate::{
    config::{Config, Upload},
    invitation,
    iq::{Iq, IqKind},
    secret::{ServerSecret, mac},
    server::Server,
};

/// Gives out slots for files.
pub const EXTENSION: Extension = Extension {
    name: "upload",
    specs: &[Spec { xep: 363, version: "1.2.0", title: "HTTP File Upload" }],
    offered: |config| config.upload.enabled,
    features: &[
        (Scope::Upload, ns::DISCO_INFO),
        (Scope::Upload, ns::DISCO_ITEMS),
        (Scope::Upload, ns::COMMANDS),
        (Scope::Upload, ns::PING),
        (Scope::Upload, ns::HTTP_UPLOAD),
        (Scope::Upload, ns::UPLOAD_PURPOSE_MESSAGE),
        (Scope::Upload, ns::UPLOAD_PURPOSE_PROFILE),
        (Scope::Upload, ns::UPLOAD_PURPOSE_EPHEMERAL),
    ],
    iq: &[
        route(IqKind::Get, ns::DISCO_INFO, "query", info),
        route(IqKind::Get, ns::DISCO_ITEMS, "query", items),
        route(IqKind::Get, ns::HTTP_UPLOAD, "request", slot),
        route(IqKind::Set, ns::COMMANDS, "command", files::command),
        route(IqKind::Get, ns::PING, "ping", pong),
    ],
    ..Extension::NOTHING
};

const fn route(
    kind: IqKind,
    ns: &'static str,
    name: &'static str,
    handler: super::IqHandler,
) -> IqRoute {
    IqRoute { scope: Scope::Upload, kind: Some(kind), ns, name, handler }
}

/// What the paths of files begin with.
pub const PATH: &str = "/upload/";

/// The service among the items of the server (§4).
#[must_use]
pub fn item(config: &Config) -> Option<Item> {
    let address = config.upload.enabled.then(|| config.upload.address(&config.domain))?;
    Some(Item::new(Jid::new(&address).ok()?).with_name("Files"))
}

fn info<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        if iq.payload.attr("node").is_some() {
            return Err(StanzaError::new(Condition::ItemNotFound));
        }
        let config = context.server.config();
        let max = Field::new("max-file-size", FieldType::TextSingle)
            .with_value(config.upload.file_bytes.to_string());
        let permanent = offers_permanent(&config.upload).then_some(ns::UPLOAD_PURPOSE_PERMANENT);
        let info = Info::new()
            .with_identity(Identity::new("store", "file").with_name("Files"))
            .with_features(features(&config, Scope::Upload))
            .with_features(permanent)
            .with_form(Form::typed(FormType::Result, ns::HTTP_UPLOAD).with_field(max));
        let info = forms(&config, Scope::Upload).into_iter().fold(info, Info::with_form);
        Ok(Some(info.to_element()))
    })
}

fn items<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        match iq.payload.attr("node") {
            None => Ok(Some(Items::default().to_element())),
            Some(ns::COMMANDS) => Ok(Some(files::commands(context, iq).to_element())),
            Some(_) => Err(StanzaError::new(Condition::ItemNotFound)),
        }
    })
}

fn pong<'a>(_: &'a IqContext<'a>, _: &'a Iq) -> IqFuture<'a> {
    Box::pin(async { Ok(None) })
}

fn slot<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let request =
            Request::parse(&iq.payload).ok_or_else(|| StanzaError::new(Condition::BadRequest))?;
        give_slot(context, &request).await
    })
}

async fn give_slot(context: &IqContext<'_>, request: &Request) -> IqAnswer {
    let server = context.server;
    let config = server.config();
    let limits = &config.upload;
    let (purpose, wanted_end) = purpose(limits, request)?;
    let (bytes, files) = (quota(limits, purpose), limits.files_per_account);
    let budget = Budget { bytes, files, slots: OPEN_SLOTS };
    let most = limits.file_bytes.min(budget.bytes);
    if request.size > most {
        let text = format!("the file is too large; at most {most} bytes are taken");
        return Err(StanzaError::new(Condition::NotAcceptable)
            .with_text(text)
            .with_app(upload::file_too_large(most)));
    }
    room_on_disk(server, request.size).await?;
    let now = server.now();
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|_| StanzaError::new(Condition::InternalServerError))?;
    let file = File {
        id: FileId(id),
        account: context.owner()?.id,
        name: sober_name(&request.filename).into(),
        media: request.content_type.as_deref().filter(|media| is_media(media)).map(Into::into),
        size: request.size,
        purpose,
        created: StoreMillis(now.0),
        slot_ends: StoreMillis(now.0 + SLOT),
        expires: ends(limits, purpose, wanted_end, now).map(|end| StoreMillis(end.0)),
        sha256: None,
    };
    let (id, name) = (file.id, file.name.clone());
    let reserved = server.store.uploads.reserve(file, budget, StoreMillis(now.0)).await;
    reserved.map_err(|error| refused(server, error, budget, limits))?;
    let url = format!(
        "{}{PATH}{}/{}",
        origin(&config, server),
        URL_SAFE_NO_PAD.encode(id.0),
        percent_encoded(&name)
    );
    let authorization = authorization(&server.secret, id);
    Ok(Some(Slot { put: url.clone(), authorization, get: url }.to_element()))
}

/// The purpose as the store knows it, and the end that the client wants.
fn purpose(limits: &Upload, request: &Request) -> Result<(Purpose, Option<Millis>), StanzaError> {
    match request.purpose {
        upload::Purpose::Message => Ok((Purpose::Message, None)),
        upload::Purpose::Profile => Ok((Purpose::Profile, None)),
        upload::Purpose::Ephemeral(end) => Ok((Purpose::Ephemeral, Some(end))),
        upload::Purpose::Permanent if offers_permanent(limits) => Ok((Purpose::Permanent, None)),
        upload::Purpose::Permanent | upload::Purpose::Unknown => {
            Err(StanzaError::new(Condition::FeatureNotImplemented)
                .with_text("files for this purpose are not kept here"))
        }
    }
}

fn offers_permanent(limits: &Upload) -> bool {
    limits.permanent_bytes_per_account > 0
}

/// Bytes that an account may have for a purpose.
fn quota(limits: &Upload, purpose: Purpose) -> u64 {
    match purpose {
        Purpose::Message | Purpose::Ephemeral => limits.bytes_per_account,
        Purpose::Profile => limits.profile_bytes_per_account,
        Purpose::Permanent => limits.permanent_bytes_per_account,
    }
}

/// When a file ends: profiles and what is to be permanent stay until they are deleted.
fn ends(limits: &Upload, purpose: Purpose, wanted: Option<Millis>, now: Millis) -> Option<Millis> {
    match purpose {
        Purpose::Profile | Purpose::Permanent => None,
        Purpose::Message | Purpose::Ephemeral => {
            let kept = limits.retention().map(|kept| {
                Millis(now.0.saturating_add(u64::try_from(kept.as_millis()).unwrap_or(u64::MAX)))
            });
            kept.into_iter().chain(wanted).min()
        }
    }
}

/// Files must not take the room that messages need (and that the operator needs to clean up).
async fn room_on_disk(server: &Server, size: u64) -> Result<(), StanzaError> {
    let full = || {
        StanzaError::new(Condition::ResourceConstraint)
            .with_text("the server has no room for files now")
    };
    if server.health.is_degraded() {
        return Err(full());
    }
    let free = server.uploads.free().await.map_err(|error| {
        server.metrics.errors_environment.increment();
        tracing::warn!(%error, "the directory of uploaded files cannot be used");
        StanzaError::new(Condition::InternalServerError)
    })?;
    match free.saturating_sub(server.config().upload.keep_free_bytes) >= size {
        true => Ok(()),
        false => Err(full()),
    }
}

fn refused(server: &Server, error: ReserveError, budget: Budget, limits: &Upload) -> StanzaError {
    let full = |text: String| StanzaError::new(Condition::ResourceConstraint).with_text(text);
    match error {
        ReserveError::Quota { used, until } => {
            let error = full(format!(
                "your quota is used up: {used} of {} bytes are taken; delete files with the \
                 command \"Your files\" of this service, or wait until older ones expire",
                budget.bytes
            ));
            match until {
                Some(until) => {
                    error.with_type(ErrorType::Wait).with_app(upload::retry(Millis(until.0)))
                }
                None => error,
            }
        }
        ReserveError::Slots { until } => full(format!(
            "you have asked for {} slots and not used them; use them, or wait until one ends",
            budget.slots
        ))
        .with_type(ErrorType::Wait)
        .with_app(upload::retry(Millis(until.0))),
        ReserveError::Files => full(format!(
            "you have {} files, as many as this server keeps; delete some with the command \
             \"Your files\" of this service",
            limits.files_per_account
        )),
        ReserveError::Store(error) => server.store_failed("upload", &error),
    }
}

/// The address from which files are fetched, without a slash at the end.
#[must_use]
pub fn origin(config: &Config, server: &Server) -> String {
    match &config.upload.url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => invitation::origin(config, &server.ports()),
    }
}

/// The header with which a slot is filled: who knows the link of a file cannot write to it.
pub(crate) fn authorization(secret: &ServerSecret, id: FileId) -> String {
    let mac = mac(&secret.derive("upload"), &[&id.0]);
    format!("Bearer {}", URL_SAFE_NO_PAD.encode(mac))
}

/// Whether a header is the one that was given out with a slot.
#[must_use]
pub fn is_authorized(secret: &ServerSecret, id: FileId, header: &[u8]) -> bool {
    authorization(secret, id).as_bytes().ct_eq(header).into()
}

/// The id in a path, which is `ID/NAME`; the name is for people.
#[must_use]
pub fn id_in(path: &str) -> Option<FileId> {
    let id = path.split('/').next()?;
    URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok().map(FileId)
}

/// Ends what is past its time and removes the bytes of everything that is gone.
pub async fn sweep(server: &Server) {
    let now = StoreMillis(server.calendar.judging(server.now()).0);
    if let Err(error) = server.store.uploads.expire(now, AT_ONCE.into()).await {
        server.store_failed("removing expired files", &error);
    }
    clear(&server.store, &server.uploads).await;
}

/// Removes the bytes of files that are gone, also with the server stopped.
pub async fn clear(store: &Store, disk: &Disk) {
    loop {
        let ids = match store.uploads.leftovers(AT_ONCE).await {
            Ok(ids) if ids.is_empty() => return,
            Ok(ids) => ids,
            Err(error) => {
                return tracing::warn!(%error, "removed files cannot be looked up");
            }
        };
        if let Err(error) = disk.remove(ids.clone()).await {
            return tracing::warn!(%error, "removed files are still on the disk");
        }
        if let Err(error) = store.uploads.cleared(ids).await {
            return tracing::warn!(%error, "removed files cannot be forgotten");
        }
    }
}

/// What the server does at start, before files can come: bytes that belong to no row (half written
/// ones, and those newer than a database that was restored) are removed.
pub async fn tidy(server: &Arc<Server>) {
    match server.uploads.take_stock().await {
        // Rows are older than their files, so what comes from now on is in nobody's way.
        Ok(ids) => drop(tokio::spawn(remove_strays(server.clone(), ids))),
        Err(error) => {
            server.metrics.errors_environment.increment();
            tracing::warn!(%error, "the directory of uploaded files cannot be read");
        }
    }
}

async fn remove_strays(server: Arc<Server>, ids: Vec<FileId>) {
    let stray = match strays(&server.store, ids).await {
        Ok(stray) => stray,
        Err(error) => {
            server.store_failed("looking for stray files", &error);
            return;
        }
    };
    if !stray.is_empty() {
        tracing::info!(files = stray.len(), "files that belong to nobody are removed");
    }
    if let Err(error) = server.uploads.remove(stray).await {
        server.metrics.errors_environment.increment();
        tracing::warn!(%error, "stray files cannot be removed");
    }
}

async fn strays(store: &Store, ids: Vec<FileId>) -> Result<Vec<FileId>, StoreError> {
    let mut stray = Vec::new();
    for id in ids {
        if store.uploads.load(id).await?.is_none() {
            stray.push(id);
        }
    }
    Ok(stray)
}

/// A name that can stand in a link and in a list: no path, no control characters, not too long. Its
/// ending stays.
fn sober_name(name: &str) -> String {
    let clean: String = name
        .chars()
        .map(|letter| match letter {
            '/' | '\\' => '_',
            letter if letter.is_control() => '_',
            letter => letter,
        })
        .collect();
    let clean = clean.trim().trim_matches('.');
    if clean.is_empty() {
        return "file".to_owned();
    }
    if clean.len() <= LONGEST_NAME {
        return clean.to_owned();
    }
    let ending = clean.rfind('.').map(|at| &clean[at..]).filter(|ending| ending.len() <= 16);
    let ending = ending.unwrap_or_default();
    let mut cut = LONGEST_NAME - ending.len();
    while !clean.is_char_boundary(cut) {
        cut -= 1;
    }
    format!("{}{ending}", &clean[..cut])
}

/// Whether a text has the form of a media type (RFC 6838 §4.2), parameters aside.
#[must_use]
pub fn is_media(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default().trim();
    let is_name = |name: &str| {
        !name.is_empty()
            && name.len() <= 127
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let parameters = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    text.len() <= 255
        && parameters
        && essence.split_once('/').is_some_and(|(kind, name)| is_name(kind) && is_name(name))
}

/// A name as RFC 3986 §2.3 allows it in a path, and RFC 8187 §3.2 in a header.
#[must_use]
pub fn percent_encoded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// How long a slot waits for its file to begin, in milliseconds (§8 recommends 300 s).
pub const SLOT: u64 = 300_000;
/// Slots of one account that are not used yet: more than anybody uploads in that time.
const OPEN_SLOTS: u64 = 100;
/// Files removed in one transaction.
const AT_ONCE: u32 = 500;
const LONGEST_NAME: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_lead_out_of_their_place() {
        assert_eq!(sober_name("très cool.jpg"), "très cool.jpg");
        assert_eq!(sober_name("../../etc/passwd"), "_.._etc_passwd");
        assert_eq!(sober_name(".."), "file");
        assert_eq!(sober_name(" \u{7}\\ "), "__");
        let long = format!("{}.jpeg", "é".repeat(300));
        let cut = sober_name(&long);
        assert!(cut.len() <= LONGEST_NAME && cut.ends_with("é.jpeg"), "{cut}");
        assert_eq!(percent_encoded("très cool.jpg"), "tr%C3%A8s%20cool.jpg");
    }

    #[test]
    fn only_what_looks_like_a_media_type_is_kept() {
        for good in ["image/jpeg", "text/plain; charset=utf-8", "application/vnd.a+xml"] {
            assert!(is_media(good), "{good}");
        }
        for bad in ["", "image", "image/", "image/a b", "text/html\r\nSet-Cookie: a=b", "é/a"] {
            assert!(!is_media(bad), "{bad}");
        }
    }

    #[test]
    fn a_slot_is_filled_only_with_its_own_header() {
        let secret = ServerSecret::new([1; 32]);
        let (one, other) = (FileId([1; 16]), FileId([2; 16]));
        let header = authorization(&secret, one);
        assert!(is_authorized(&secret, one, header.as_bytes()));
        assert!(!is_authorized(&secret, other, header.as_bytes()));
        assert!(!is_authorized(&ServerSecret::new([2; 32]), one, header.as_bytes()));
        assert!(!is_authorized(&secret, one, b""));
    }

    #[test]
    fn the_id_is_found_in_a_path_and_nothing_else() {
        let id = FileId([0xfe; 16]);
        let text = URL_SAFE_NO_PAD.encode(id.0);
        assert_eq!(id_in(&format!("{text}/a%2Fb")), Some(id));
        for bad in ["", "..", "../secret.key", "AAAA/x", "%2e%2e/x"] {
            assert_eq!(id_in(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_file_ends_at_the_earlier_of_two_times() {
        let mut limits = Config::for_domain("a.example").unwrap().upload;
        let day = 24 * 60 * 60 * 1000;
        let now = Millis(1000);
        let end = |limits: &Upload, purpose, wanted| ends(limits, purpose, wanted, now);
        assert_eq!(end(&limits, Purpose::Message, None), Some(Millis(1000 + 30 * day)));
        assert_eq!(end(&limits, Purpose::Ephemeral, Some(Millis(5))), Some(Millis(5)));
        assert_eq!(end(&limits, Purpose::Profile, None), None);
        limits.retention_days = 0;
        assert_eq!(end(&limits, Purpose::Message, None), None);
        assert_eq!(end(&limits, Purpose::Ephemeral, Some(Millis(5))), Some(Millis(5)));
    }
}
