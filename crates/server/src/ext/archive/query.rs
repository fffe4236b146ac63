//! XEP-0313 §4: pages of an archive, and where it begins and ends.

use bytes::Bytes;
use store::archive::{Page, PageError, Paging, Query, Row, With};
use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        delay::Delay,
        form::{Field, FieldType, Form, FormType},
        forward,
        rsm::{Position, Request, Response},
    },
    jid::Jid,
    ns,
    time::Millis,
    xml::Element,
};

use crate::{
    account::CaughtUp,
    ext::{IqContext, IqFuture},
    iq::{Iq, IqKind},
    server::Server,
    session::frame::Frame,
};

/// Messages on a page when the client does not say how many it wants, and at most.
const PAGE: u32 = 50;
const MAX_PAGE: u32 = store::archive::MAX_PAGE;

/// Answers `<query/>`: the form of what can be asked (get), or a page (set).
pub(super) fn query<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        match iq.kind {
            IqKind::Get => Ok(Some(Element::new("query", ns::MAM).with_child(form().to_element()))),
            IqKind::Set => page(context, iq).await,
        }
    })
}

/// Answers `<metadata/>` (XEP-0313 §5).
pub(super) fn metadata<'a>(context: &'a IqContext<'a>, _: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let account = context.owner()?.id;
        metadata_element(context.server, account).await.map(Some)
    })
}

/// Where an account's archive begins and ends. An empty archive has no ends.
///
/// # Errors
/// When the store could not be read.
pub async fn metadata_element(
    server: &Server,
    account: store::AccountId,
) -> Result<Element, StanzaError> {
    let failed = |error| server.store_failed("archive metadata", &error);
    server.store.archive.barrier().await.map_err(failed)?;
    let ends = server.store.archive.ends(account).await.map_err(failed)?;
    let mut metadata = Element::new("metadata", ns::MAM);
    if let Some((first, last)) = ends {
        for (name, end) in [("start", first), ("end", last)] {
            let element = Element::new(name, ns::MAM)
                .with_attr("id", end.id.to_string())
                .with_attr("timestamp", Millis(end.at.0).xep0082());
            metadata.push(element);
        }
    }
    Ok(metadata)
}

async fn page(context: &IqContext<'_>, iq: &Iq) -> crate::ext::IqAnswer {
    let server = context.server;
    let session = context.session()?;
    let account = &session.account;
    let query = parse(&iq.payload)?;
    let (part, newest) = (reads_forward(&query), account.lock().archive.newest());
    account.submitted().await;
    let archive = &server.store.archive;
    // What was delivered a moment ago may still be on its way to disk: the page must have it.
    archive.barrier().await.map_err(|error| server.store_failed("archive", &error))?;
    let page = archive.page(account.id, query).await.map_err(|error| match error {
        PageError::UnknownId(_) => StanzaError::new(Condition::ItemNotFound),
        PageError::Store(error) => server.store_failed("archive", &error),
    })?;
    if let (Some(part), Some(resource)) = (part, account.lock().resource(session)) {
        let reached = page.rows.last().filter(|_| !page.complete).map_or(newest, |row| row.id);
        let part = CaughtUp { upto: newest, reached, ..part };
        resource.caught_up = Some(resource.caught_up.map_or(part, |before| before.and(part)));
    }
    let id = iq.payload.attr("queryid");
    for row in &page.rows {
        let bytes = result(session.full(), account.bare(), id, row);
        session.deliver_bulk(Frame::message(bytes));
    }
    Ok(Some(fin(&page, id)))
}

/// The part of the archive that somebody reads who asks for this page and for those behind it, to the end of
/// what is there now. `None` when that is not what is asked for.
fn reads_forward(query: &Query) -> Option<CaughtUp> {
    let all = query.with.is_none() && query.end.is_none() && query.before_id.is_none();
    let page = match query.page {
        Paging::First => 0,
        Paging::After(id) => id,
        Paging::Before(_) | Paging::Last => return None,
    };
    let after = page.max(query.after_id.unwrap_or(0));
    let start = query.start.unwrap_or(store::Millis(0));
    let part = CaughtUp { after, start, upto: 0, reached: 0 };
    (all && query.max > 0 && query.ids.is_empty()).then_some(part)
}

/// The end of a page (XEP-0313 §4.3).
pub(in crate::ext) fn fin(page: &Page, id: Option<&str>) -> Element {
    // XEP-0313 §4.3.2: a flipped page is described as if it were not.
    let oldest = page.rows.iter().min_by_key(|row| row.id);
    let newest = page.rows.iter().max_by_key(|row| row.id);
    let set = Response {
        // XEP-0059 §2.6 makes the index optional. slixmpp, and poezio with it, takes index plus
        // items equal to the count for the end, in whatever direction it reads: with an index it
        // would see one page of the past and no more.
        first: oldest.map(|row| (row.id.to_string(), None)),
        last: newest.map(|row| row.id.to_string()),
        count: page.count.and_then(|count| usize::try_from(count).ok()),
    };
    let complete = if page.complete { "true" } else { "false" };
    Element::new("fin", ns::MAM)
        .with_attr("complete", complete)
        .with_attr_opt("queryid", id)
        .with_child(set.to_element())
}

/// One `<result/>`, written without an element tree: pages are asked for by the thousand.
pub(in crate::ext) fn result(to: &str, bare: &str, query: Option<&str>, row: &Row) -> Bytes {
    let mut xml = Vec::with_capacity(row.stanza.len() + 400);
    xml.extend_from_slice(b"<message from='");
    xmpp::xml::escape_into(&mut xml, bare);
    xml.extend_from_slice(b"' to='");
    xmpp::xml::escape_into(&mut xml, to);
    xml.extend_from_slice(b"'><result xmlns='urn:xmpp:mam:2' id='");
    xml.extend_from_slice(row.id.to_string().as_bytes());
    if let Some(query) = query {
        xml.extend_from_slice(b"' queryid='");
        xmpp::xml::escape_into(&mut xml, query);
    }
    xml.extend_from_slice(b"'>");
    forward::write_forwarded(&mut xml, &row.stanza, Some(&Delay::new(Millis(row.at.0))));
    xml.extend_from_slice(b"</result></message>");
    Bytes::from(xml)
}

/// Reads what is asked for.
pub(crate) fn parse(payload: &Element) -> Result<Query, StanzaError> {
    let flip = payload.child("flip-page", ns::MAM).is_some();
    let mut query = Query { flip, ..Query::default() };
    if let Some(form) = Form::child_of(payload) {
        for field in form.fields.iter().filter(|field| field.var.as_deref() != Some("FORM_TYPE")) {
            let value = field.value().unwrap_or_default();
            match field.var.as_deref().unwrap_or_default() {
                "with" => query.with = Some(with(value)?),
                "start" => query.start = Some(moment(value)?),
                "end" => query.end = Some(moment(value)?),
                "after-id" => query.after_id = Some(id(value)?),
                "before-id" => query.before_id = Some(id(value)?),
                "ids" => query.ids = ids(&field.values)?,
                // XEP-0313 §4.1.5: what is not understood must not be ignored.
                _ => return Err(StanzaError::new(Condition::FeatureNotImplemented)),
            }
        }
    }
    let set = Request::child_of(payload).unwrap_or_default();
    query.max = set.max.map_or(PAGE, |max| u32::try_from(max).unwrap_or(MAX_PAGE)).min(MAX_PAGE);
    // Counting costs a look at every row; who asks for the count alone gets it.
    query.count = query.max == 0;
    query.page = match set.position {
        Position::First => Paging::First,
        Position::Last => Paging::Last,
        Position::After(after) => Paging::After(id(&after)?),
        Position::Before(before) => Paging::Before(id(&before)?),
        Position::Index(_) => return Err(StanzaError::new(Condition::FeatureNotImplemented)),
    };
    Ok(query)
}

fn with(value: &str) -> Result<With, StanzaError> {
    let jid = Jid::new(value).map_err(|_| StanzaError::new(Condition::JidMalformed))?;
    let resource = jid.resource().map(|resource| resource.as_str().into());
    Ok(With { bare: Some(jid.to_bare().as_str().into()), resource })
}

fn moment(value: &str) -> Result<store::Millis, StanzaError> {
    let moment = Millis::parse_xep0082(value);
    moment
        .map(|moment| store::Millis(moment.0))
        .ok_or_else(|| StanzaError::new(Condition::BadRequest))
}

/// Our ids are decimal numbers: anything else is the id of no message.
fn id(text: &str) -> Result<u64, StanzaError> {
    text.parse().map_err(|_| StanzaError::new(Condition::ItemNotFound))
}

fn ids(values: &[String]) -> Result<Vec<u64>, StanzaError> {
    if values.len() > store::archive::MAX_IDS {
        return Err(StanzaError::new(Condition::PolicyViolation));
    }
    values.iter().map(|value| id(value)).collect()
}

/// XEP-0313 §4.1.6: the fields that a query may have.
pub(in crate::ext) fn form() -> Form {
    [
        Field::new("with", FieldType::JidSingle),
        Field::new("start", FieldType::TextSingle),
        Field::new("end", FieldType::TextSingle),
        Field::new("before-id", FieldType::TextSingle),
        Field::new("after-id", FieldType::TextSingle),
        Field::new("ids", FieldType::ListMulti),
    ]
    .into_iter()
    .fold(Form::typed(FormType::Form, ns::MAM), Form::with_field)
}
