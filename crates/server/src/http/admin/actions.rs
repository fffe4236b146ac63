//! What the forms do: the operations of the command line.

use hyper::StatusCode;
use xmpp::jid::BareJid;

use super::{
    super::{Answer, html::Html},
    Form, field,
    lists::{frame, words},
    pages::{ask, failed},
    session::Signed,
};
use crate::{
    admin::{
        AuditChain, Fault, FaultCode, Invitation, NewInvitation, Request, Response, RoomSettings,
    },
    password::Password,
    server::Server,
};

/// Carries out a form, and says what became of it.
pub(super) async fn perform(server: &Server, signed: &Signed, action: &str, form: &Form) -> Answer {
    let mut shown = None;
    let request = match request(server.domain(), action, form, &mut shown) {
        Ok(request) => request,
        Err(fault) => return failed(signed, &fault),
    };
    if locks_out(signed, server.domain(), action, &request) {
        let words = "you would no longer be an administrator yourself";
        return failed(signed, &Fault::new(FaultCode::Invalid, words));
    }
    match ask(server, signed, request).await {
        Ok(response) => done(signed, (action, form), &response, shown.as_deref()),
        Err(fault) => failed(signed, &fault),
    }
}

/// Whether somebody would take their own right away by mistake.
fn locks_out(signed: &Signed, domain: &str, action: &str, request: &Request) -> bool {
    let (Request::AccountAdmin { account, .. }
    | Request::AccountEnable { account, .. }
    | Request::AccountDelete { account }) = request
    else {
        return false;
    };
    // As the operation reads it: `Ada` is the account `ada`.
    let full = match account.contains('@') {
        true => account.clone(),
        false => format!("{account}@{domain}"),
    };
    let jid = BareJid::new(&full).ok();
    let name = jid.as_ref().and_then(|jid| jid.node()).map(|node| node.as_str());
    let own = name.is_some() && signed.account.as_deref() == name;
    own && matches!(action, "account-admin-revoke" | "account-disable" | "account-delete")
}

/// The operation of a form. A password that is made here is shown once.
fn request(
    domain: &str,
    action: &str,
    form: &Form,
    shown: &mut Option<String>,
) -> Result<Request, Fault> {
    let text = |name: &str| field(form, name).to_owned();
    let optional = |name: &str| Some(text(name)).filter(|text| !text.is_empty());
    let ticked = |name: &str| field(form, name) == "yes";
    let account = text("account");
    Ok(match action {
        "account-add" => {
            let password = password(form, shown)?;
            Request::AccountAdd { account, password, admin: ticked("admin") }
        }
        "account-password" => {
            Request::AccountPassword { account, password: password(form, shown)? }
        }
        "account-reset-link" => Request::AccountResetLink { account },
        "account-enable" => Request::AccountEnable { account, enabled: true },
        "account-disable" => Request::AccountEnable { account, enabled: false },
        "account-admin" => Request::AccountAdmin { account, admin: true },
        "account-admin-revoke" => Request::AccountAdmin { account, admin: false },
        "account-clear" => {
            confirmed(form, &account)?;
            Request::AccountClear { account }
        }
        "account-retention" => Request::AccountRetention { account, days: kept_days(form)? },
        "account-delete" => {
            confirmed(form, &account)?;
            Request::AccountDelete { account }
        }
        "account-move" => {
            let to = optional("to").ok_or_else(|| {
                Fault::new(FaultCode::Invalid, "the new address is missing; nothing was done")
            })?;
            Request::AccountMove { account, to: Some(to) }
        }
        "account-move-back" => Request::AccountMove { account, to: None },
        "token-revoke" => Request::TokenRevoke { account, device: optional("device") },
        "push-delete" => Request::PushDelete { account },
        "upload-delete" => Request::UploadDelete { account, file: Some(text("file")) },
        "upload-delete-all" => {
            confirmed(form, &account)?;
            Request::UploadDelete { account, file: None }
        }
        "session-kick" => Request::SessionKick { address: account },
        "federation-list" | "federation-deny-remove" | "federation-allow-remove" => {
            return list(action, form);
        }
        "federation-try" => Request::FederationTry { domain: text("domain") },
        "federation-give-back" => Request::FederationGiveBack { domain: text("domain") },
        "federation-end" => Request::FederationEnd { domain: text("domain") },
        "invite-new" => Request::InviteNew(invitation(form)?),
        "invite-revoke" => Request::InviteRevoke { id: number(form, "id")? },
        "request-approve" => Request::RequestApprove { id: number(form, "id")? },
        "request-refuse" => Request::RequestRefuse { id: number(form, "id")? },
        "report-delete" => Request::ReportDelete { id: text("id") },
        _ if action.starts_with("room-") => return room(action, form),
        _ => return service(domain, action, form),
    })
}

/// The operation of a form about a room.
fn room(action: &str, form: &Form) -> Result<Request, Fault> {
    let text = |name: &str| field(form, name).to_owned();
    let optional = |name: &str| Some(text(name)).filter(|text| !text.is_empty());
    let ticked = |name: &str| field(form, name) == "yes";
    Ok(match action {
        "room-create" => Request::RoomCreate {
            room: text("room"),
            owner: text("owner"),
            public: ticked("public"),
            title: optional("title"),
        },
        "room-set" => {
            let settings = RoomSettings {
                title: Some(text("title")),
                description: Some(text("description")),
                public: Some(ticked("public")),
                members_only: Some(ticked("members_only")),
                moderated: Some(ticked("moderated")),
                archived: Some(ticked("archived")),
            };
            Request::RoomSet { room: text("room"), settings }
        }
        "room-affiliation" => Request::RoomAffiliation {
            room: text("room"),
            who: text("who"),
            affiliation: text("affiliation"),
            reason: optional("reason"),
        },
        "room-retention" => Request::RoomRetention { room: text("room"), days: kept_days(form)? },
        "room-destroy" => {
            confirmed(form, &text("room"))?;
            Request::RoomDestroy { room: text("room"), reason: optional("reason") }
        }
        _ => return Err(no_form()),
    })
}

/// The operation of a form about the lists of domains.
fn list(action: &str, form: &Form) -> Result<Request, Fault> {
    let domain = field(form, "domain").to_owned();
    Ok(match (action, field(form, "list")) {
        ("federation-list", "deny") => Request::DomainDeny { domain, listed: true },
        ("federation-list", "allow") => Request::DomainAllow { domain, listed: true },
        ("federation-deny-remove", _) => Request::DomainDeny { domain, listed: false },
        ("federation-allow-remove", _) => Request::DomainAllow { domain, listed: false },
        _ => return Err(no_form()),
    })
}

/// The operation of a form about the server as a whole.
fn service(domain: &str, action: &str, form: &Form) -> Result<Request, Fault> {
    // As browsers send lines.
    let text = || field(form, "text").replace("\r\n", "\n");
    let told = || Some(text()).filter(|text| !text.is_empty());
    let after = || minutes(form, "after").map(Option::unwrap_or_default);
    Ok(match action {
        "notice-now" => Request::NoticeNow { text: text() },
        "notice-motd" => {
            Request::NoticeDay { text: Some(text()), anew: field(form, "correct") != "yes" }
        }
        "notice-motd-delete" => Request::NoticeDay { text: None, anew: false },
        "notice-welcome" => Request::NoticeWelcome { text: Some(text()) },
        "notice-welcome-delete" => Request::NoticeWelcome { text: None },
        "outage-announce" => Request::OutageAnnounce {
            text: text(),
            after: after()?,
            seconds: minutes(form, "takes")?,
        },
        "outage-end" => Request::OutageEnd {},
        "restart" => Request::Stop { restart: true, after: after()?, text: told() },
        "stop" => {
            confirmed(form, domain)?;
            Request::Stop { restart: false, after: after()?, text: told() }
        }
        "stop-cancel" => Request::StopCancel { text: told() },
        "audit-verify" => {
            let known = Some(field(form, "hash").to_owned()).filter(|hash| !hash.is_empty());
            Request::AuditVerify { known }
        }
        _ => return Err(no_form()),
    })
}

fn no_form() -> Fault {
    Fault::new(FaultCode::Invalid, "there is no such form")
}

/// Minutes of a form in seconds; `None` when nothing was filled in.
fn minutes(form: &Form, name: &str) -> Result<Option<u64>, Fault> {
    if field(form, name).is_empty() {
        return Ok(None);
    }
    let minutes = u64::try_from(number(form, name)?).ok();
    let seconds = minutes.and_then(|minutes| minutes.checked_mul(60));
    let wrong = || Fault::new(FaultCode::Invalid, format!("{name} must be a number of minutes"));
    seconds.map(Some).ok_or_else(wrong)
}

fn invitation(form: &Form) -> Result<NewInvitation, Fault> {
    let days: i64 = number(form, "days")?;
    let seconds = u64::try_from(days).ok().and_then(|days| days.checked_mul(24 * 60 * 60));
    Ok(NewInvitation {
        name: Some(field(form, "name").to_owned()).filter(|name| !name.is_empty()),
        uses: u32::try_from(number(form, "uses")?).unwrap_or(0),
        expires_seconds: Some(seconds.unwrap_or(0)),
        admin: field(form, "admin") == "yes",
        contact_of: Some(field(form, "contact_of").to_owned()).filter(|one| !one.is_empty()),
        note: field(form, "note").to_owned(),
    })
}

fn number(form: &Form, name: &str) -> Result<i64, Fault> {
    let wrong = || Fault::new(FaultCode::Invalid, format!("{name} must be a number"));
    field(form, name).parse().map_err(|_| wrong())
}

/// For how long messages are to be kept; nothing for as long as those of others.
fn kept_days(form: &Form) -> Result<Option<u32>, Fault> {
    let wrong = || Fault::new(FaultCode::Invalid, "a number of days is missing; nothing was done");
    match field(form, "days").trim() {
        "" => Ok(None),
        days => days.parse().map(Some).map_err(|_| wrong()),
    }
}

/// What cannot be undone is written once more.
fn confirmed(form: &Form, what: &str) -> Result<(), Fault> {
    match field(form, "confirm") == what && !what.is_empty() {
        true => Ok(()),
        false => Err(Fault::new(
            FaultCode::Invalid,
            "what was typed is not what was asked for; nothing was done",
        )),
    }
}

/// The password of a form, or one that is made.
fn password(form: &Form, shown: &mut Option<String>) -> Result<Password, Fault> {
    // Spaces at the ends are part of it.
    match form.password.as_ref().filter(|typed| !typed.expose().is_empty()) {
        Some(typed) => Ok(typed.clone()),
        None => {
            let made = random_password()?;
            *shown = Some(made.clone());
            Ok(Password::new(made))
        }
    }
}

/// Five groups of four letters and digits that are not taken for each other: 99 bits.
fn random_password() -> Result<String, Fault> {
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes).map_err(|error| {
        Fault::new(FaultCode::Storage, format!("the system gives no random numbers: {error}"))
    })?;
    let letters: Vec<char> = LETTERS.chars().collect();
    let letter = |byte: &u8| letters.get(usize::from(byte % 32)).copied().unwrap_or('x');
    let groups = bytes.chunks(4).map(|group| group.iter().map(letter).collect::<String>());
    Ok(groups.collect::<Vec<_>>().join("-"))
}

fn done(
    signed: &Signed,
    (action, form): (&str, &Form),
    response: &Response,
    shown: Option<&str>,
) -> Answer {
    let (page, thing) = match action.split('-').next() {
        Some("invite" | "request") => ("invitations", ""),
        Some("room") => ("rooms", field(form, "room")),
        Some("report") => ("reports", ""),
        Some("federation") => ("federation", ""),
        Some("notice") => ("notices", ""),
        Some("outage" | "restart" | "stop") => ("downtime", ""),
        Some("audit") => ("audit", ""),
        _ => ("accounts", field(form, "account").split('/').next().unwrap_or_default()),
    };
    let back = match action {
        "account-delete" | "room-destroy" => page.to_owned(),
        _ if thing.is_empty() => page.to_owned(),
        _ => {
            let encoded: String = form_urlencoded::byte_serialize(thing.as_bytes()).collect();
            format!("{page}/{encoded}")
        }
    };
    let mut main = match response {
        Response::Done(sentence) => Html::new().raw("<p>").text(sentence).raw("</p>\n"),
        Response::Invitation(invitation) => made(invitation),
        Response::AuditChain(chain) => whole(chain),
        Response::ResetLink(made) => Html::new()
            .raw("<p>Send this link to the owner of <code>")
            .text(&made.account)
            .raw("</code>, in a way that you trust: whoever has it sets the password. It is good once, for a \
                  day, and shown only now.</p>\n<p class=\"card\"><code>")
            .text(&made.link)
            .raw("</code></p>\n"),
        _ => words("Done."),
    };
    if let Some(shown) = shown {
        main = main
            .raw("<p class=\"card\">The password is <code>")
            .text(shown)
            .raw("</code>. It is shown only this once.</p>\n");
    }
    let main = main.raw("<p><a class=\"button\" href=\"/admin/").text(&back).raw("\">Back</a></p>");
    frame(StatusCode::OK, signed, page, "Done", main)
}

/// What came of a check of the record.
fn whole(chain: &AuditChain) -> Html {
    let (Some(first), Some(last), Some(hash)) = (chain.first, chain.last, &chain.hash) else {
        return words("Nobody did anything yet.");
    };
    Html::new()
        .raw("<p>")
        .text(&format!("The entries from {first} to {last} are as they were written."))
        .raw("</p>\n<p>The last hash, to be noted somewhere else: <code>")
        .text(hash)
        .raw("</code></p>\n")
}

fn made(invitation: &Invitation) -> Html {
    let link = invitation.link.as_deref().unwrap_or_default();
    let mut html = Html::new()
        .raw("<p>Send this link to the person. It is shown only this once.</p>\n<p class=\"card\"><code>")
        .text(link)
        .raw("</code></p>\n");
    if let Some(notice) = &invitation.notice {
        html = html.raw("<p>").text(notice).raw("</p>\n");
    }
    html
}

const LETTERS: &str = "abcdefghijkmnpqrstuvwxyz23456789";

#[cfg(test)]
mod tests {
    use super::{super::parse, *};

    #[test]
    fn passwords_that_are_made_are_long_and_differ() {
        assert_eq!(LETTERS.len(), 32);
        let (one, other) = (random_password().unwrap(), random_password().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 24);
    }

    #[test]
    fn nobody_locks_themselves_out_however_they_write_their_name() {
        let sessions = super::super::session::AdminSessions::default();
        let now = std::time::Instant::now();
        let secret = sessions.sign_in(Some("ada"), [0; 32], now).unwrap();
        let signed = sessions.of(&secret, now).unwrap();
        let locks_out = |account: &str| {
            let request = Request::AccountEnable { account: account.to_owned(), enabled: false };
            super::locks_out(&signed, "example.org", "account-disable", &request)
        };
        assert!(locks_out("ada") && locks_out("ADA") && locks_out("Ada@Example.org"));
        assert!(!locks_out("romeo") && !locks_out("@"));
    }

    #[test]
    fn what_cannot_be_undone_is_typed_again() {
        let request = |action, form: &str| request("a.example", action, &parse(form), &mut None);
        let delete =
            |confirm: &str| request("account-delete", &format!("account=a@b&confirm={confirm}"));
        assert!(delete("a@b").is_ok() && delete("a@c").is_err() && delete("").is_err());
        assert!(request("stop", "after=5&confirm=a.example").is_ok());
        assert!(request("stop", "after=5").is_err());
        assert!(request("reload", "").is_err(), "not one of the forms");
    }

    #[test]
    fn what_a_form_says_is_what_the_command_line_would() {
        let request = |action, form: &str| request("a.example", action, &parse(form), &mut None);
        let text = || Some("One\nTwo".to_owned());
        for (action, form, expected) in [
            ("notice-motd", "text=One%0D%0ATwo", Request::NoticeDay { text: text(), anew: true }),
            (
                "notice-motd",
                "text=One%0ATwo&correct=yes",
                Request::NoticeDay { text: text(), anew: false },
            ),
            (
                "outage-announce",
                "text=Disks&after=2&takes=",
                Request::OutageAnnounce { text: "Disks".into(), after: 120, seconds: None },
            ),
            ("restart", "text=&after=0", Request::Stop { restart: true, after: 0, text: None }),
            (
                "stop",
                "after=1&text=One%0ATwo&confirm=a.example",
                Request::Stop { restart: false, after: 60, text: text() },
            ),
            ("stop-cancel", "text=", Request::StopCancel { text: None }),
            (
                "federation-list",
                "list=allow&domain=b.example",
                Request::DomainAllow { domain: "b.example".into(), listed: true },
            ),
            (
                "federation-deny-remove",
                "domain=b.example",
                Request::DomainDeny { domain: "b.example".into(), listed: false },
            ),
            ("audit-verify", "hash=", Request::AuditVerify { known: None }),
        ] {
            assert_eq!(request(action, form), Ok(expected), "{action} {form}");
        }
        assert!(request("federation-list", "list=else&domain=b.example").is_err());
        assert!(request("outage-announce", "text=Disks&after=-1").is_err());
        assert!(request("restart", "after=9223372036854775807").is_err());
    }
}
