//! Rooms, as the operator handles them.

use super::*;

pub(super) fn room() -> Field {
    line("room", "Its address, or the part before the @").with_required()
}

pub(super) fn new_room() -> Vec<Field> {
    vec![
        room(),
        Field::new("owner", FieldType::JidSingle).with_label("Whose it is").with_required(),
        Field::new("public", FieldType::Boolean)
            .with_label("A channel for everybody, and not a group for members")
            .with_bool(false),
        line("title", "What people call it"),
    ]
}

/// The room of a form.
pub(super) fn named(form: &Form) -> Result<String, StanzaError> {
    required(form, "room")
}

impl Call<'_> {
    pub(super) async fn create_room(&self, form: &Form) -> IqAnswer {
        let (room, owner) = (named(form)?, required(form, "owner")?);
        let public = form.boolean("public").unwrap_or(false);
        self.say(Request::RoomCreate { room, owner, public, title: written(form, "title") }).await
    }

    pub(super) async fn destroy_room(&self, form: &Form) -> IqAnswer {
        let (room, reason) = (named(form)?, written(form, "reason"));
        self.say(Request::RoomDestroy { room, reason }).await
    }
}
