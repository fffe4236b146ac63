//! Long tables: a search above them, a way to the next page below. Where a page begins is said by a row,
//! not by a number, so nothing is shown twice or left out when rows come and go.

use super::super::{super::html::Html, Form, field};
use crate::admin::listing::{Page, Wanted, cut};

/// Which part of a table is asked for.
#[derive(Debug)]
pub(super) struct Wish<'a> {
    /// The path of the page below `/admin/`.
    path: String,
    /// The parameter that says where the page begins.
    place: &'static str,
    searched: &'a str,
    matching: String,
    after: Option<&'a str>,
}

impl<'a> Wish<'a> {
    /// What the address of a page asks for.
    pub(super) fn of(path: impl Into<String>, query: &'a Form) -> Wish<'a> {
        Wish::at("after", path, query)
    }

    /// The same, for a page with two tables.
    pub(super) fn at(place: &'static str, path: impl Into<String>, query: &'a Form) -> Wish<'a> {
        let searched = field(query, "q");
        let after = Some(field(query, place)).filter(|after| !after.is_empty());
        Wish { path: path.into(), place, searched, matching: searched.to_lowercase(), after }
    }

    /// As the operations take it.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        Wanted { matching: &self.matching, after: self.after, most: MOST }
    }

    /// A part of a list that is there as a whole. `key` names a row, `passed` tells whether a row stands
    /// at or before the one with a key, which may be gone; `text` is what is searched in.
    pub(super) fn cut<T>(
        &self,
        rows: Vec<T>,
        text: impl Fn(&T) -> String,
        key: impl Fn(&T) -> String,
        passed: impl Fn(&T, &str) -> bool,
    ) -> Page<T> {
        let fits = |row: &T| text(row).to_lowercase().contains(&self.matching);
        let left = rows.into_iter().filter(fits);
        let left = left.filter(|row| self.after.is_none_or(|after| !passed(row, after)));
        cut(left.take(MOST + 1).collect(), MOST, key)
    }

    /// The line to search with.
    pub(super) fn search(&self) -> Html {
        Html::new()
            .raw("<form class=\"search\" method=\"get\" action=\"/admin/")
            .text(&self.path)
            .raw("\" role=\"search\"><label>Search <input name=\"q\" type=\"search\" value=\"")
            .text(self.searched)
            .raw("\"></label><button class=\"plain\">Search</button></form>\n")
    }

    /// The way to the pages before and after.
    pub(super) fn foot<T>(&self, page: &Page<T>) -> Html {
        let mut html = Html::new();
        if self.after.is_none() && page.next.is_none() {
            return html;
        }
        html = html.raw("<nav class=\"pages\" aria-label=\"Pages\">");
        if self.after.is_some() {
            html = html.html(&self.link(None, "First page"));
        }
        if let Some(next) = &page.next {
            html = html.html(&self.link(Some(next), "Next page"));
        }
        html.raw("</nav>\n")
    }

    fn link(&self, after: Option<&str>, label: &'static str) -> Html {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.searched.is_empty() {
            query.append_pair("q", self.searched);
        }
        if let Some(after) = after {
            query.append_pair(self.place, after);
        }
        Html::new()
            .raw("<a class=\"button\" href=\"/admin/")
            .text(&self.path)
            .raw("?")
            .text(&query.finish())
            .raw("\">")
            .raw(label)
            .raw("</a>")
    }
}

/// Rows of one page.
const MOST: usize = 100;

#[cfg(test)]
mod tests {
    use super::{super::super::parse, *};

    fn shown(
        query: &str,
        rows: std::ops::RangeInclusive<u32>,
    ) -> (Vec<u32>, Option<String>, String) {
        let form = parse(query);
        let wish = Wish::of("things", &form);
        let number = |key: &str| key.parse::<u32>().unwrap_or(0);
        let passed = |row: &u32, after: &str| *row <= number(after);
        let page = wish.cut(rows.collect(), u32::to_string, u32::to_string, passed);
        let foot = wish.foot(&page).as_str().to_owned();
        (page.rows, page.next, foot)
    }

    #[test]
    fn a_short_table_has_one_page_and_a_long_one_is_walked_through() {
        let (rows, next, foot) = shown("", 1..=100);
        assert_eq!((rows.len(), next, foot.as_str()), (100, None, ""));
        let (rows, next, foot) = shown("", 1..=250);
        assert_eq!((rows.first(), rows.last()), (Some(&1), Some(&100)));
        assert!(foot.contains("things?after=100\"") && !foot.contains("First"), "{foot}");
        assert_eq!(next.as_deref(), Some("100"));
        let (rows, next, foot) = shown("after=200", 1..=250);
        assert_eq!((rows.first(), rows.len(), next), (Some(&201), 50, None));
        assert!(foot.contains("First page") && !foot.contains("Next"), "{foot}");
    }

    #[test]
    fn a_row_that_is_gone_is_still_a_place_and_a_search_goes_along() {
        let (rows, ..) = shown("after=100", 101..=110);
        assert_eq!(rows.len(), 10);
        let (rows, _, foot) = shown("q=1", 1..=1000);
        assert_eq!(rows[..4], [1, 10, 11, 12]);
        assert!(foot.contains("?q=1&amp;after="), "{foot}");
        assert!(shown("q=%22%3E%3Cscript%3E", 1..=9).0.is_empty());
    }

    #[test]
    fn what_was_searched_cannot_become_markup() {
        let form = parse("q=%22%3E%3Cscript%3E&after=%22%3E%3Cscript%3E");
        let wish = Wish::of("things", &form);
        let page = Page::<u32> { rows: Vec::new(), next: Some("\"><script>".to_owned()) };
        assert!(!wish.search().as_str().contains("<script>"));
        assert!(!wish.foot(&page).as_str().contains("<script>"));
    }
}
