//! XEP-0059: Result Set Management 1.0
//!
//! One `<set/>` asks for a page, another describes it. Archives, disco items and pubsub items use
//! both. [`page`] answers requests over a list that is already in memory.

use crate::ns;
use crate::xml::Element;

/// Where the page shall lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Position {
    /// From the beginning.
    #[default]
    First,
    /// Directly after the item of this id.
    After(String),
    /// Directly before the item of this id.
    Before(String),
    /// The last page: an empty `<before/>`.
    Last,
    /// The page that starts with the item of this number, counted from 0.
    Index(usize),
}

/// The page that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The largest number of items wanted; `Some(0)` asks for the count alone.
    pub max: Option<usize>,
    /// Where the page shall lie.
    pub position: Position,
}

/// The page that was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Id and, where known, number of the first item of the page.
    pub first: Option<(String, Option<usize>)>,
    /// Id of the last item of the page.
    pub last: Option<String>,
    /// How many items there are in all; may be an estimate.
    pub count: Option<usize>,
}

/// The item a request refers to does not exist: answer with `item-not-found`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownItem;

impl Request {
    /// Reads `<set/>`. Numbers that are none are ignored, as if the limit were not given.
    #[must_use]
    pub fn parse(set: &Element) -> Option<Self> {
        if !set.is("set", ns::RSM) {
            return None;
        }
        let text = |name: &str| set.child(name, ns::RSM).map(Element::text);
        let number = |name: &str| text(name).and_then(|text| text.trim().parse::<usize>().ok());
        let position = match (text("after"), text("before"), number("index")) {
            (Some(after), _, _) if !after.is_empty() => Position::After(after),
            (_, Some(before), _) if before.is_empty() => Position::Last,
            (_, Some(before), _) => Position::Before(before),
            (_, _, Some(index)) => Position::Index(index),
            _ => Position::First,
        };
        Some(Request { max: number("max"), position })
    }

    /// Reads the `<set/>` among the children of `parent`.
    #[must_use]
    pub fn child_of(parent: &Element) -> Option<Self> {
        parent.child("set", ns::RSM).and_then(Request::parse)
    }

    /// The request as `<set/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let mut set = Element::new("set", ns::RSM);
        if let Some(max) = self.max {
            set.push(text_child("max", &max.to_string()));
        }
        match &self.position {
            Position::First => {}
            Position::After(id) => set.push(text_child("after", id)),
            Position::Before(id) => set.push(text_child("before", id)),
            Position::Last => set.push(Element::new("before", ns::RSM)),
            Position::Index(index) => set.push(text_child("index", &index.to_string())),
        }
        set
    }
}

impl Response {
    /// Reads `<set/>`; `None` when the element is something else.
    #[must_use]
    pub fn parse(set: &Element) -> Option<Self> {
        if !set.is("set", ns::RSM) {
            return None;
        }
        let first = set
            .child("first", ns::RSM)
            .map(|first| (first.text(), first.attr("index").and_then(|index| index.parse().ok())));
        Some(Response {
            first,
            last: set.child("last", ns::RSM).map(Element::text),
            count: set.child("count", ns::RSM).and_then(|count| count.text().trim().parse().ok()),
        })
    }

    /// Reads the `<set/>` among the children of `parent`.
    #[must_use]
    pub fn child_of(parent: &Element) -> Option<Self> {
        parent.child("set", ns::RSM).and_then(Response::parse)
    }

    /// The response as `<set/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let mut set = Element::new("set", ns::RSM);
        if let Some((id, index)) = &self.first {
            let index = index.map(|index| index.to_string());
            set.push(
                Element::new("first", ns::RSM).with_attr_opt("index", index).with_text(id.as_str()),
            );
        }
        if let Some(last) = &self.last {
            set.push(text_child("last", last));
        }
        if let Some(count) = self.count {
            set.push(text_child("count", &count.to_string()));
        }
        set
    }
}

/// Cuts the page out of `items`, at most `cap` of them however many are asked for.
///
/// Returns the items of the page and its description.
///
/// # Errors
/// [`UnknownItem`] when the request refers to an id that is not in the list (XEP-0059 §2.3).
pub fn page<'a, T>(
    items: &'a [T],
    id: impl Fn(&T) -> &str,
    request: &Request,
    cap: usize,
) -> Result<(&'a [T], Response), UnknownItem> {
    let max = request.max.map_or(cap, |max| max.min(cap));
    let find = |wanted: &str| items.iter().position(|item| id(item) == wanted).ok_or(UnknownItem);
    let (start, end) = match &request.position {
        Position::First => (0, max),
        Position::After(after) => {
            let start = find(after)?.saturating_add(1);
            (start, start.saturating_add(max))
        }
        Position::Before(before) => {
            let end = find(before)?;
            (end.saturating_sub(max), end)
        }
        Position::Last => (items.len().saturating_sub(max), items.len()),
        Position::Index(index) if *index > items.len() => return Err(UnknownItem),
        Position::Index(index) => (*index, index.saturating_add(max)),
    };
    let slice = items.get(start..end.min(items.len())).unwrap_or_default();
    let response = Response {
        first: slice.first().map(|item| (id(item).to_owned(), Some(start))),
        last: slice.last().map(|item| id(item).to_owned()),
        count: Some(items.len()),
    };
    Ok((slice, response))
}

fn text_child(name: &str, text: &str) -> Element {
    Element::new(name, ns::RSM).with_text(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Limits;

    fn request(children: &str) -> Request {
        let xml = format!("<set xmlns='http://jabber.org/protocol/rsm'>{children}</set>");
        Request::parse(&Element::parse(xml.as_bytes(), &Limits::CLIENT).unwrap()).unwrap()
    }

    fn cut(children: &str) -> Result<(Vec<&'static str>, Response), UnknownItem> {
        const ITEMS: &[&str] = &["a", "b", "c", "d", "e"];
        page(ITEMS, |item| item, &request(children), 3)
            .map(|(items, response)| (items.to_vec(), response))
    }

    #[test]
    fn requests_survive_the_wire() {
        for position in [
            Position::First,
            Position::After("x".into()),
            Position::Before("y".into()),
            Position::Last,
            Position::Index(7),
        ] {
            let request = Request { max: Some(10), position };
            assert_eq!(Request::parse(&request.to_element()), Some(request));
        }
    }

    #[test]
    fn responses_survive_the_wire() {
        let response = Response {
            first: Some(("a".into(), Some(3))),
            last: Some("b".into()),
            count: Some(20),
        };
        assert_eq!(Response::parse(&response.to_element()), Some(response));
        assert_eq!(Response::parse(&Response::default().to_element()), Some(Response::default()));
    }

    #[test]
    fn pages_are_cut_where_asked() {
        assert_eq!(cut("<max>2</max>").unwrap().0, ["a", "b"]);
        assert_eq!(cut("<max>2</max><after>b</after>").unwrap().0, ["c", "d"]);
        assert_eq!(cut("<max>2</max><before>c</before>").unwrap().0, ["a", "b"]);
        assert_eq!(cut("<max>2</max><before/>").unwrap().0, ["d", "e"]);
        assert_eq!(cut("<max>2</max><index>3</index>").unwrap().0, ["d", "e"]);
        assert_eq!(cut("<after>e</after>").unwrap().0, Vec::<&str>::new());
    }

    #[test]
    fn the_cap_holds_and_zero_asks_for_the_count() {
        assert_eq!(cut("<max>100</max>").unwrap().0, ["a", "b", "c"]);
        let (items, response) = cut("<max>0</max>").unwrap();
        assert!(items.is_empty());
        assert_eq!(response, Response { first: None, last: None, count: Some(5) });
    }

    #[test]
    fn an_unknown_item_is_an_error() {
        assert_eq!(cut("<after>z</after>"), Err(UnknownItem));
        assert_eq!(cut("<index>9</index>"), Err(UnknownItem));
    }

    #[test]
    fn the_description_counts_from_zero() {
        let (_, response) = cut("<max>2</max><after>a</after>").unwrap();
        assert_eq!(response.first, Some(("b".to_owned(), Some(1))));
        assert_eq!(response.last.as_deref(), Some("c"));
        assert_eq!(response.count, Some(5));
    }
}
