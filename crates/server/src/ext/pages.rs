//! Answers that are lists: a page of them has to fit into one stanza (XEP-0059).

use std::ops::Range;

use xmpp::{
    ext::rsm::{Position, Request, Response},
    xml::Element,
};

use crate::config::Config;

/// Bytes of the items in one answer, so that whoever takes stanzas as large as this server does can read it.
#[must_use]
pub fn room(config: &Config) -> usize {
    let most = config.limits.stanza_bytes.min(config.federation.stanza_bytes);
    usize::try_from(most.saturating_sub(ENVELOPE)).unwrap_or(usize::MAX)
}

/// Where a page lies in a list that is in order of its ids. An id that is gone still has a place.
#[must_use]
pub fn place(ids: &[&str], request: &Request) -> Range<usize> {
    let most = request.max.unwrap_or(usize::MAX);
    let all = ids.len();
    let (start, end) = match &request.position {
        Position::First => (0, most),
        Position::After(after) => {
            let start = ids.partition_point(|id| *id <= after.as_str());
            (start, start.saturating_add(most))
        }
        Position::Before(before) => {
            let end = ids.partition_point(|id| *id < before.as_str());
            (end.saturating_sub(most), end)
        }
        Position::Last => (all.saturating_sub(most), all),
        Position::Index(index) => ((*index).min(all), index.saturating_add(most)),
    };
    start..end.min(all)
}

/// Those items of a page that fit into an answer: the first ones, or the last ones where the page ends at a
/// place that was asked for. At least one.
#[must_use]
pub fn fit<T>(
    items: &[T],
    position: &Position,
    room: usize,
    written: impl Fn(&T) -> Element,
) -> Range<usize> {
    let mut left = room;
    let mut fits = |item: &T| {
        let size = written(item).to_bytes("").len();
        let enough = size <= left;
        left = left.saturating_sub(size);
        enough
    };
    match position {
        Position::Before(_) | Position::Last => {
            let many = items.iter().rev().take_while(|item| fits(item)).count();
            items.len() - many.max(1).min(items.len())..items.len()
        }
        Position::First | Position::After(_) | Position::Index(_) => {
            let many = items.iter().take_while(|item| fits(item)).count();
            0..many.max(1).min(items.len())
        }
    }
}

/// Which part of a list an answer has, by the numbers of its items: the page that is asked for, as far as it fits,
/// or the beginning of the list. What is said of it goes along unless it is everything and nobody asked.
#[must_use]
pub fn page(
    ids: &[&str],
    asked: Option<&Request>,
    room: usize,
    written: impl Fn(usize) -> Element,
) -> (Range<usize>, Option<Response>) {
    let everything = Request::default();
    let request = asked.unwrap_or(&everything);
    let place = place(ids, request);
    let numbers: Vec<usize> = place.clone().collect();
    let fits = fit(&numbers, &request.position, room, |number| written(*number));
    let range = place.start + fits.start..place.start + fits.end;
    let shown = ids.get(range.clone()).unwrap_or_default();
    let partial = asked.is_some() || shown.len() < ids.len();
    let said = || described(shown.iter().copied(), range.start, ids.len());
    let said = partial.then(said);
    (range, said)
}

/// What is said of a page whose items have these ids, where `start` is the number of the first.
#[must_use]
pub fn described<'a>(
    ids: impl DoubleEndedIterator<Item = &'a str> + Clone,
    start: usize,
    count: usize,
) -> Response {
    Response {
        first: ids.clone().next().map(|id| (id.to_owned(), Some(start))),
        last: ids.clone().next_back().map(str::to_owned),
        count: Some(count),
    }
}

/// Bytes of a stanza around its items.
const ENVELOPE: u64 = 8 * 1024;

#[cfg(test)]
mod tests {
    use xmpp::ns;

    use super::*;

    #[test]
    fn a_page_has_a_place_whether_or_not_its_neighbour_is_there() {
        let ids = ["b", "d", "f"];
        let place = |max, position| place(&ids, &Request { max, position });
        assert_eq!(place(None, Position::First), 0..3);
        assert_eq!(place(Some(2), Position::First), 0..2);
        assert_eq!(place(Some(1), Position::After("b".into())), 1..2);
        assert_eq!(place(Some(1), Position::After("c".into())), 1..2);
        assert_eq!(place(Some(1), Position::After("g".into())), 3..3);
        assert_eq!(place(Some(1), Position::Before("f".into())), 1..2);
        assert_eq!(place(Some(2), Position::Before("e".into())), 0..2);
        assert_eq!(place(Some(2), Position::Last), 1..3);
        assert_eq!(place(None, Position::Index(2)), 2..3);
        assert_eq!(place(None, Position::Index(9)), 3..3);
        assert_eq!(place(Some(0), Position::Last), 3..3);
    }

    #[test]
    fn a_list_that_does_not_fit_comes_in_pages_to_who_asked_for_none() {
        let ids = ["b", "d", "f"];
        let item = |number: usize| Element::new("item", ns::CLIENT).with_attr("name", ids[number]);
        let size = item(0).to_bytes("").len();
        let page = |asked: Option<&Request>, room| super::page(&ids, asked, room, item);
        assert_eq!(page(None, 3 * size), (0..3, None));
        let (range, said) = page(None, 2 * size);
        let said = said.expect("it is a part");
        assert_eq!((range, said.first, said.count), (0..2, Some(("b".into(), Some(0))), Some(3)));
        let after = Request { max: None, position: Position::After("d".into()) };
        let (range, said) = page(Some(&after), 2 * size);
        assert_eq!((range, said.and_then(|said| said.last)), (2..3, Some("f".into())));
        let nothing = Request { max: Some(0), position: Position::First };
        let (range, said) = page(Some(&nothing), 2 * size);
        assert_eq!((range, said.and_then(|said| said.count)), (0..0, Some(3)));
        assert_eq!(super::page(&[], None, 0, item), (0..0, None));
    }

    #[test]
    fn as_many_as_fit_beside_the_place_that_was_asked_for() {
        let item = |name: &str| Element::new("item", ns::CLIENT).with_attr("name", name);
        let items: Vec<Element> = ["a", "b", "c", "d"].map(item).into();
        let size = items[0].to_bytes("").len();
        let fit = |position, room| fit(&items, &position, room, Element::clone);
        assert_eq!(fit(Position::First, 4 * size), 0..4);
        assert_eq!(fit(Position::First, 3 * size - 1), 0..2);
        assert_eq!(fit(Position::Last, 3 * size - 1), 2..4);
        assert_eq!(fit(Position::Before("e".into()), 1), 3..4);
        assert_eq!(fit(Position::Index(0), 1), 0..1);
        assert_eq!(super::fit(&[], &Position::Last, size, Element::clone), 0..0);
    }
}
