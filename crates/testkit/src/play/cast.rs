//! Reading the cast of a play: who the roles are and how they reach the server.

use super::script::{Foreign, Login, Role};
use super::template::Template;
use crate::client::Via;
use crate::target::{DOMAIN, PEERS};

/// Reads `by MECHANISM, bound to TYPE, with password X, …`.
pub(super) fn login(details: &str) -> Result<Login, String> {
    let mut login = Login::default();
    for detail in details.split(',').map(str::trim).filter(|detail| !detail.is_empty()) {
        if !login_detail(detail, &mut login)? {
            return Err(format!("`{detail}` says nothing about a login"));
        }
    }
    Ok(login)
}

fn login_detail(detail: &str, login: &mut Login) -> Result<bool, String> {
    if detail == "with SASL2" {
        login.sasl2 = true;
    } else if detail == "checking the offer" {
        login.checks_offer = true;
    } else if let Some(mechanism) = detail.strip_prefix("by ") {
        login.mechanism = Some(mechanism.to_owned());
    } else if let Some(binding) = detail.strip_prefix("bound to ") {
        login.binding = Some(binding.to_owned());
    } else if let Some(password) = detail.strip_prefix("with password ") {
        login.password = Some(Template::parse(password)?);
    } else if let Some(user) = detail.strip_prefix("as ") {
        login.user = Some(Template::parse(user)?);
    } else if let Some(authzid) = detail.strip_prefix("acting for ") {
        login.authzid = Some(Template::parse(authzid)?);
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Reads `Romeo: romeo/orchard, over TLS, by SCRAM-SHA-256`.
pub(super) fn role(line: &str) -> Result<Role, String> {
    let (name, rest) = line.split_once(':').ok_or("a role is written `Name: account/resource`")?;
    let mut details = rest.split(',').map(str::trim);
    let address = details.next().unwrap_or_default();
    let server = address.strip_prefix("server ").map(foreign).transpose()?;
    let component = address.strip_prefix("component ").map(str::to_owned);
    let domain = server.as_ref().map(|server| &server.domain).or(component.as_ref());
    let address = domain.map_or(address, String::as_str).to_owned();
    let (account, resource) = match address.split_once('/') {
        Some((account, resource)) => (account, Some(resource.to_owned())),
        None => (address.as_str(), None),
    };
    let capital = name.starts_with(|c: char| c.is_ascii_uppercase());
    if !capital || name.contains(' ') || account.is_empty() || account != account.to_lowercase() {
        return Err("a role has one capitalised word, its account small letters".into());
    }
    let mut role = Role {
        name: name.to_owned(),
        account: account.to_owned(),
        resource,
        via: Via::default(),
        login: Login::default(),
        registered: true,
        server,
        component,
    };
    for detail in details {
        match detail {
            "over TLS" => role.via = Via::DirectTls,
            "over WebSocket" => role.via = Via::WebSocket,
            "over TCP" => role.via = Via::Plain,
            "not registered" => role.registered = false,
            _ if foreign_detail(detail, role.server.as_mut()) => {}
            _ if login_detail(detail, &mut role.login)? => {}
            _ => return Err(format!("`{detail}` says nothing about a role")),
        }
    }
    Ok(role)
}

/// Reads the domain of `server mantua.example`.
fn foreign(domain: &str) -> Result<Foreign, String> {
    if !PEERS.contains(&domain) {
        return Err(format!("other servers are {}", PEERS.join(" and ")));
    }
    Ok(Foreign {
        domain: domain.to_owned(),
        calls: DOMAIN.to_owned(),
        certificate: Some(domain.to_owned()),
        both_ways: false,
    })
}

/// Reads what only another server has; false if it is something else.
fn foreign_detail(detail: &str, server: Option<&mut Foreign>) -> bool {
    let Some(server) = server else { return false };
    if detail == "both ways" {
        server.both_ways = true;
    } else if detail == "without a certificate" {
        server.certificate = None;
    } else if let Some(domain) = detail.strip_prefix("with the certificate of ") {
        server.certificate = Some(domain.to_owned());
    } else if let Some(domain) = detail.strip_prefix("calling ") {
        server.calls = domain.to_owned();
    } else {
        return false;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_server_is_read_with_its_details() {
        let read = role("Mantua: server mantua.example, over TLS, both ways").unwrap();
        assert_eq!((read.name.as_str(), read.via), ("Mantua", Via::DirectTls));
        let server = read.server.unwrap();
        assert_eq!(server.domain, "mantua.example");
        assert_eq!(server.certificate.as_deref(), Some("mantua.example"));
        assert!(server.both_ways && server.calls == DOMAIN);
        let read = role("Mantua: server mantua.example, without a certificate").unwrap();
        assert_eq!(read.server.unwrap().certificate, None);
    }

    #[test]
    fn a_component_is_read_with_its_secret() {
        let read = role("Gateway: component gateway.verona.example, with password x").unwrap();
        assert_eq!(read.component.as_deref(), Some("gateway.verona.example"));
        assert!(read.login.password.is_some() && !read.is_client());
        assert!(role("Gateway: component gateway.verona.example, both ways").is_err());
    }

    #[test]
    fn servers_nobody_knows_and_details_of_servers_for_people_are_mistakes() {
        assert!(role("Milan: server milan.example").unwrap_err().contains("padua.example"));
        assert!(role("Romeo: romeo, both ways").unwrap_err().contains("both ways"));
    }
}
