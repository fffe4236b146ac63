//! The rows of an answer as a form with a column for each thing that is known (XEP-0004 §3.4).

use serde::Serialize;
use serde_json::{Map, Value};

use super::*;

impl Call<'_> {
    /// Asks, and shows what is answered.
    pub(super) async fn show(&self, request: Request) -> IqAnswer {
        let rows = match self.operate(request).await? {
            Response::Rooms(rows) => objects(&rows),
            Response::Members(rows) => objects(&rows),
            Response::Federation(rows) => objects(&rows),
            Response::Sessions(rows) => objects(&rows),
            Response::Storage(rows) => objects(&rows),
            Response::Reports(rows) => objects(&rows),
            Response::Status(status) => objects(&[*status]),
            _ => Vec::new(),
        };
        let answer = commands::answer(self.iq, self.node, "completed", Some(table(&rows)));
        Ok(Some(match rows.len() {
            all if all > MOST_ROWS => {
                let text = format!("These are {MOST_ROWS} of {all}.");
                let note = Element::new("note", ns::COMMANDS).with_attr("type", "info");
                answer.with_child(note.with_text(text))
            }
            _ => answer,
        }))
    }
}

fn objects<T: Serialize>(rows: &[T]) -> Vec<Map<String, Value>> {
    let object = |row: &T| match serde_json::to_value(row) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    };
    rows.iter().filter_map(object).collect()
}

fn table(rows: &[Map<String, Value>]) -> Form {
    let mut form = Form::typed(FormType::Result, ns::ADMIN);
    let columns: Vec<&String> = rows.first().into_iter().flat_map(Map::keys).collect();
    let label = |name: &str| name.replace('_', " ");
    form.reported = columns
        .iter()
        .map(|name| Field::new(name.as_str(), FieldType::TextSingle).with_label(label(name)))
        .collect();
    let cell = |row: &Map<String, Value>, name: &str| {
        Field::untyped(name).with_value(row.get(name).map(words).unwrap_or_default())
    };
    form.items = rows
        .iter()
        .take(MOST_ROWS)
        .map(|row| columns.iter().map(|name| cell(row, name)).collect())
        .collect();
    form
}

/// A value for people. Of several things with parts of their own, how many there are.
fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) if all.iter().any(Value::is_object) => all.len().to_string(),
        Value::Array(all) => all.iter().map(words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Rows of one answer.
const MOST_ROWS: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Row {
        name: &'static str,
        since: Option<u64>,
        streams: Vec<Map<String, Value>>,
        tags: Vec<&'static str>,
    }

    #[test]
    fn rows_become_columns_and_cells() {
        let row = Row { name: "a", since: None, streams: vec![Map::new()], tags: vec!["x", "y"] };
        let form = table(&objects(&[row]));
        let names: Vec<_> = form.reported.iter().filter_map(|one| one.var.as_deref()).collect();
        let cells: Vec<_> = form.items[0].iter().map(|one| one.value().unwrap_or("")).collect();
        let mut pairs: Vec<_> = names.into_iter().zip(cells).collect();
        pairs.sort_unstable();
        assert_eq!(pairs, [("name", "a"), ("since", ""), ("streams", "1"), ("tags", "x, y")]);
        assert!(table(&[]).reported.is_empty());
        let many = vec![Map::from_iter([("n".to_owned(), Value::from(1))]); MOST_ROWS + 1];
        assert_eq!(table(&many).items.len(), MOST_ROWS);
    }
}
