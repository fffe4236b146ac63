//! `anemone dns`: the records that the domain should have, as a zone file to copy from.

use std::{collections::BTreeSet, fmt::Write as _, process::ExitCode};

use serde_json::json;

use super::{connect, show};
use crate::{
    acme,
    admin::{Fault, FaultCode},
    config::{Config, Home, Service},
    net::tls::certificate,
};

/// One record.
struct Record {
    name: String,
    kind: &'static str,
    value: String,
    /// What it is for.
    why: &'static str,
}

/// Prints the records. `host` is the machine's own name, where that is not the domain.
pub(super) fn run(home: &Home, host: Option<&str>, as_json: bool) -> Result<ExitCode, Fault> {
    let config = connect::configuration(home)?;
    let ascii = |name: &str| {
        idna::domain_to_ascii(name).map_err(|_| {
            Fault::new(FaultCode::Configuration, format!("`{name}` is not a domain name"))
        })
    };
    let domain = ascii(&config.domain)?;
    let host = host.map_or_else(|| Ok(domain.clone()), |host| ascii(host.trim_end_matches('.')))?;
    let records = records(home, &config, &domain, &host);
    if as_json {
        let list: Vec<_> = records
            .iter()
            .map(|one| {
                json!({ "name": one.name, "type": one.kind, "value": one.value, "why": one.why })
            })
            .collect();
        show::text(&format!("{}\n", json!({ "dns": list })));
    } else {
        show::text(&zone(&domain, &records));
    }
    Ok(ExitCode::SUCCESS)
}

fn records(home: &Home, config: &Config, domain: &str, host: &str) -> Vec<Record> {
    let mut records = Vec::new();
    let mut add = |name: String, kind, value: String, why| {
        records.push(Record { name, kind, value, why });
    };
    for (kind, value) in [("A", "<IPv4 address>"), ("AAAA", "<IPv6 address>")] {
        add(host.to_owned(), kind, value.to_owned(), "where the machine is");
    }
    let ascii = |(name, why): (String, _)| Some((idna::domain_to_ascii(&name).ok()?, why));
    let hosts: Vec<_> = config.virtual_hosts().into_iter().filter_map(ascii).collect();
    let files = config.files_host().map(|name| (name, "files"));
    for (name, why) in hosts.iter().cloned().chain(files.and_then(ascii)) {
        if name != host {
            add(name, "CNAME", format!("{host}."), why);
        }
    }
    let mut tls_ports = BTreeSet::new();
    for (service, label, why) in SERVICES {
        for port in public_ports(config, *service) {
            tls_ports.insert(port);
            let Some(label) = label else { continue };
            let value = format!("0 5 {port} {host}.");
            add(format!("{label}.{domain}"), "SRV", value.clone(), why);
            // Other servers look for the rooms by their own name.
            if matches!(service, Service::S2s | Service::S2sTls) {
                for (name, _) in &hosts {
                    let why = "other servers on their way to these";
                    add(format!("{label}.{name}"), "SRV", value.clone(), why);
                }
            }
        }
    }
    if config.acme.enabled && config.acme.directory.contains(".letsencrypt.org/") {
        let mut value = String::from("0 issue \"letsencrypt.org");
        if let Some(account) = acme::account_uri(home, &config.acme.directory) {
            let _ = write!(value, "; accounturi={account}");
        }
        let _ = write!(value, "; validationmethods={}\"", config.acme.challenge.name());
        add(domain.to_owned(), "CAA", value, "who may give certificates, and to whom");
    }
    let path = match &config.tls.certificate {
        Some(path) => home.resolve(path),
        None => home.acme_certificate(),
    };
    if let Ok(digest) = certificate::key_digest(&path) {
        for port in tls_ports {
            let value = format!("3 1 1 {digest}");
            add(format!("_{port}._tcp.{host}"), "TLSA", value, "DANE, if the zone is signed");
        }
    }
    records
}

/// Ports of a service that others can reach.
fn public_ports(config: &Config, service: Service) -> BTreeSet<u16> {
    let listeners = config.listeners().into_iter();
    let open = listeners.filter(|one| one.service == service && !one.address.ip().is_loopback());
    open.map(|one| one.address.port()).collect()
}

fn zone(domain: &str, records: &[Record]) -> String {
    let mut text = format!("; Records for {domain}. Fill in what stands in <>.\n");
    let name = |record: &Record| record.name.len() + 1;
    let width = records.iter().map(name).max().unwrap_or(0);
    let mut why = "";
    for record in records {
        if record.why != why {
            why = record.why;
            let _ = write!(text, "\n; {why}\n");
        }
        let name = format!("{}.", record.name);
        let _ = writeln!(text, "{name:<width$} 3600 IN {:<5} {}", record.kind, record.value);
    }
    text
}

const SERVICES: &[(Service, Option<&str>, &str)] = &[
    (Service::C2s, Some("_xmpp-client._tcp"), "clients with STARTTLS"),
    (Service::C2sTls, Some("_xmpps-client._tcp"), "clients with TLS from the start"),
    (Service::S2s, Some("_xmpp-server._tcp"), "other servers with STARTTLS"),
    (Service::S2sTls, Some("_xmpps-server._tcp"), "other servers with TLS from the start"),
    (Service::Https, None, "the web"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The CAA records of a configuration whose server has an account somewhere.
    fn caa(acme: &str) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path());
        let kept = r#"{"directory": "https://acme-v02.api.letsencrypt.org/directory",
            "credentials": {"id": "https://acme-v02.api.letsencrypt.org/acme/acct/7"}}"#;
        std::fs::write(home.acme_account(), kept).unwrap();
        let doors = "[listen]\nredirect = [\"[::]:80\"]";
        let text = format!("domain = \"a.example\"\n{doors}\n[acme]\nenabled = true\n{acme}");
        let config = Config::parse(&text).unwrap();
        let records = records(&home, &config, "a.example", "a.example").into_iter();
        records.filter(|one| one.kind == "CAA").map(|one| one.value).collect()
    }

    #[test]
    fn the_record_for_authorities_names_the_account_and_the_way_to_check() {
        assert_eq!(
            caa("challenge = \"tls-alpn-01\""),
            ["0 issue \"letsencrypt.org; \
              accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/7; \
              validationmethods=tls-alpn-01\""]
        );
        assert!(caa("challenge = \"http-01\"")[0].contains("validationmethods=http-01"));
    }

    #[test]
    fn an_account_at_another_authority_is_not_named() {
        let staging = "https://acme-staging-v02.api.letsencrypt.org/directory";
        let records = caa(&format!("directory = \"{staging}\""));
        assert!(records.len() == 1 && !records[0].contains("accounturi"), "{records:?}");
        assert!(caa("directory = \"https://ca.example/dir\"").is_empty());
    }
}
