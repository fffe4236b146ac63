//! `anemone init`: a data directory with everything a server needs.

use std::{process::ExitCode, time::SystemTime};

use super::{connect, show};
use crate::{
    admin::{Fault, FaultCode},
    config::{self, Config, Home},
    files,
    net::tls::{self, authority},
    secret::{SecretError, ServerSecret},
};

/// Makes what is missing. A directory that is complete is left as it is.
pub(super) fn run(home: &Home, domain: &str, json: bool) -> Result<ExitCode, Fault> {
    let domain = config::domain(domain).map_err(|words| Fault::new(FaultCode::Invalid, words))?;
    let existed = home.config_file().exists();
    if existed {
        let there = connect::configuration(home)?.domain;
        if there != domain {
            return Err(Fault::new(
                FaultCode::Exists,
                format!(
                    "{} is set up for {there} already; nothing was changed. Choose another \
                     directory for {domain}",
                    home.path().display()
                ),
            ));
        }
    }
    make(home, &domain, existed)?;
    show::initialised(home, &domain, existed, json);
    Ok(ExitCode::SUCCESS)
}

/// The configuration comes last: where it is, the rest is complete.
fn make(home: &Home, domain: &str, existed: bool) -> Result<(), Fault> {
    let failed = |path: &std::path::Path, error: &dyn std::fmt::Display| {
        Fault::new(
            FaultCode::Configuration,
            format!("{} cannot be written: {error}", path.display()),
        )
    };
    files::private_directory(home.path()).map_err(|error| failed(home.path(), &error))?;
    connect::owned_by_this_user(home)?;
    if !home.secret().exists() {
        let made = ServerSecret::create(home);
        made.map_err(|error: SecretError| Fault::new(FaultCode::Configuration, error.to_string()))?;
    }
    let below = Config::for_domain(domain).map_or(Vec::new(), |config| tls::below(&config));
    authority::ensure(home, domain, &below, SystemTime::now())
        .map_err(|error| Fault::new(FaultCode::Configuration, error.to_string()))?;
    if !existed {
        let path = home.config_file();
        files::write_private(&path, template(domain).as_bytes())
            .map_err(|error| failed(&path, &error))?;
    }
    Ok(())
}

/// Only the domain is set, so that sections can be added below without being there twice.
fn template(domain: &str) -> String {
    let listen = match domain {
        "localhost" => {
            "c2s = [\"127.0.0.1:5222\", \"[::1]:5222\"]\n\
             #c2s_tls = [\"127.0.0.1:5223\", \"[::1]:5223\"]\n\
             #https = [\"127.0.0.1:5443\", \"[::1]:5443\"]"
        }
        _ => "c2s = [\"[::]:5222\"]\n#c2s_tls = [\"[::]:5223\"]\n#https = [\"[::]:443\"]",
    };
    format!(
        "\
# Anemone. Every key but `domain` may be left out; what is shown is the default.
# The manual of all keys:        anemone config --reference
# What is wrong with this file:  anemone check

domain = \"{domain}\"

# Where the server listens.
#[listen]
#{listen}

# Who may make an account: \"invite\" (holders of an invitation), \"closed\" or \"open\".
#[registration]
#policy = \"invite\"

# Whether to get a certificate that everybody trusts (Let's Encrypt), renew it and put it to use. Other
# machines have to reach port 443 for that. Without one the server makes its own, and clients must trust
# the file ca.pem beside this one.
#[acme]
#enabled = false

# A certificate that another program keeps, in place of [acme].
#[tls]
#certificate = \"/etc/letsencrypt/live/{domain}/fullchain.pem\"
#key = \"/etc/letsencrypt/live/{domain}/privkey.pem\"

# Days a message stays in the archive.
#[archive]
#retention_days = 30

# Whom to ask about this server. Public.
#[contact]
#admin = [\"mailto:admin@{domain}\"]
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_file_is_valid_and_so_is_everything_it_suggests() {
        for domain in ["localhost", "example.org"] {
            let text = template(domain);
            assert_eq!(Config::parse(&text).unwrap().domain, domain);
            let mut uncommented = String::new();
            for line in text.lines() {
                let suggestion = line.strip_prefix('#').filter(|rest| !rest.starts_with(' '));
                uncommented.push_str(suggestion.unwrap_or(line));
                uncommented.push('\n');
            }
            let config = Config::parse(&uncommented).unwrap();
            let plain = Config::for_domain(domain).unwrap();
            assert_eq!(config.archive, plain.archive, "what is shown is the default");
            assert_eq!(config.registration, plain.registration);
            assert_eq!(config.listen, plain.listen);
        }
    }
}
