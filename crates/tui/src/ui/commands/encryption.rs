//! Commands for devices and encryption.

use client::Command as Ask;
use client::store::EncryptionMode;

use super::{Action, App, Argument, Command, Kind, Values, account, here, person};
use crate::ui::app::{Key, Waiting};
use crate::ui::overlay::{Overlay, Question, Then};
use crate::ui::words;

pub(super) const DEVICES: Command = Command {
    name: "devices",
    alias: Some("fingerprints"),
    arguments: &[Argument::optional("WHO", Kind::Person)],
    about: "devices and fingerprints of somebody or, with “me”, your own: verify, distrust, remove",
    examples: &["/devices", "/devices me", "/devices juliet@capulet.example"],
    run: devices,
};

fn devices(app: &mut App, values: &Values, actions: &mut Vec<Action>) -> Result<(), String> {
    let key = match (values.at(0), &app.open) {
        (Some("me"), _) | (None, None) => own(app)?,
        (None, Some(_)) if app.room().is_some() => {
            return Err("whose devices? /devices and a name; /members lists all".to_owned());
        }
        (typed, _) => person(app, typed)?,
    };
    ask_devices(app, &key, actions);
    app.overlay = Some(Overlay::devices(key));
    Ok(())
}

/// Asks for the devices of an address. The core tells of its own accord only when they change.
fn ask_devices(app: &mut App, key: &Key, actions: &mut Vec<Action>) {
    let waiting = Waiting::Devices(key.with.clone());
    app.ask(key.account, Ask::Devices(key.with.clone()), waiting, actions);
}

/// The own address.
fn own(app: &App) -> Result<Key, String> {
    let account = account(app)?;
    let with = app.mirror(account).and_then(|mirror| mirror.account.as_ref());
    let with = with.map(|account| account.address.clone());
    with.map(|with| Key { account, with }).ok_or_else(|| "there is no account yet".to_owned())
}

pub(super) const VERIFY: Command = Command {
    name: "verify",
    alias: None,
    arguments: &[Argument::required("LINK", Kind::Rest)],
    about: "verify the devices that a scanned QR code names",
    examples: &[
        "/verify xmpp:juliet@capulet.example?omemo-sid-27183=6b4e15a9c9f9f7a4d0f2c1b3a5968778695a4b3c2d1e0f00112233445566778a",
    ],
    run: |app, values, actions| {
        let account = account(app)?;
        let link = values.text(0);
        if !link.starts_with("xmpp:") || !link.contains("omemo-sid-") {
            return Err(
                "a link for verifying looks like xmpp:…?omemo-sid-…; or compare in /devices"
                    .to_owned(),
            );
        }
        app.ask(account, Ask::Verify(link.to_owned()), Waiting::Quiet, actions);
        Ok(())
    },
};

pub(super) const QR: Command = Command {
    name: "qr",
    alias: None,
    arguments: &[],
    about: "show the QR code by which others verify this device",
    examples: &["/qr"],
    run: |app, _, actions| {
        let key = own(app)?;
        ask_devices(app, &key, actions);
        app.overlay = Some(Overlay::code(key));
        Ok(())
    },
};

pub(super) const LABEL: Command = Command {
    name: "label",
    alias: None,
    arguments: &[Argument::required("NAME", Kind::Rest)],
    about: "what others of your devices call this one",
    examples: &["/label Clownfish on the laptop"],
    run: |app, values, actions| {
        let account = account(app)?;
        let label = values.text(0).to_owned();
        app.ask(account, Ask::SetDeviceLabel(label), Waiting::Say("labelled".to_owned()), actions);
        Ok(())
    },
};

pub(super) const REPAIR: Command = Command {
    name: "repair",
    alias: None,
    arguments: &[Argument::optional("WHO", Kind::Person)],
    about: "begin new encrypted sessions with all devices of somebody, when messages cannot be read",
    examples: &["/repair"],
    run: |app, values, actions| {
        let key = person(app, values.at(0))?;
        let said = Waiting::Say("new sessions are made".to_owned());
        app.ask(key.account, Ask::RepairEncryption(key.with), said, actions);
        Ok(())
    },
};

pub(super) const ENCRYPT: Command = Command {
    name: "encrypt",
    alias: None,
    arguments: &[Argument::required("on|off", Kind::Choice(&["on", "off"]))],
    about: "whether what you write here is encrypted; off asks first",
    examples: &["/encrypt on", "/encrypt off"],
    run: |app, values, actions| {
        let key = here(app)?;
        let set = |mode| Ask::SetEncryption(key.with.clone(), mode);
        let room = app.room();
        if let Some(why) = room.filter(|_| values.text(0) == "on").and_then(words::unencryptable) {
            return Err(format!("this room cannot be encrypted: {why}"));
        }
        let text = match room {
            Some(_) => {
                "The servers of the room and of everybody in it can read it, and so can who \
                        takes or copies them. /encrypt on ends it."
            }
            None => {
                "Both servers can read it, and so can who takes or copies them. /encrypt on ends it."
            }
        };
        if values.text(0) == "on" {
            let said = Waiting::Say("what you write here is encrypted".to_owned());
            app.ask(key.account, set(EncryptionMode::Omemo), said, actions);
            return Ok(());
        }
        let said = "what you write here is NOT encrypted";
        let then = Then::ask(key.account, set(EncryptionMode::Plain), said);
        app.overlay = Some(Overlay::Question(Question::new(
            "Write here without encryption?",
            text,
            vec![
                ('y', "yes, without encryption", then),
                ('n', "no, keep it encrypted", Then::Nothing),
            ],
        )));
        Ok(())
    },
};
