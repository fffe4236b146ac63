//! Debian's prosody.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::scratch::Scratch;
use super::service::{Launch, free_address};
use super::{Peer, Scene, Setting, configure, contacts};

pub(super) async fn start(setting: Setting, scratch: Scratch) -> Result<Peer> {
    let address = free_address()?;
    let dir = scratch.path();
    let config = dir.join("prosody.cfg.lua");
    let domain = setting.scene.domain();
    let mut modules = if setting.archive { "\"mam\"; ".to_owned() } else { String::new() };
    let mut disabled = "\"s2s\"; \"limits\"";
    let (mut https, mut more) = (String::new(), String::new());
    match setting.scene {
        Scene::Chat => {}
        Scene::Contacts => contacts::rosters(dir, domain, setting.accounts)?,
        Scene::Rooms => more.push_str(ROOMS),
        Scene::Files => {
            https = free_address()?.port().to_string();
            more.push_str(&FILES.replace("{{https}}", &https));
        }
        Scene::Federation(place) => {
            fs::write(dir.join("mod_bench_places.lua"), PLACES)?;
            modules.push_str(FEDERATION_MODULES);
            disabled = "\"dialback\"; \"limits\"";
            more = FEDERATION
                .replace("{{port}}", &place.port.to_string())
                .replace("{{other}}", place.other)
                .replace("{{other_port}}", &place.other_port.to_string());
        }
    }
    let federated = matches!(setting.scene, Scene::Federation(_));
    // What comes in by the first may need those that follow.
    let values = [
        ("federation", if federated { &*more } else { "" }),
        ("components", if federated { "" } else { &*more }),
        ("domain", domain),
        ("dir", &*dir.to_string_lossy()),
        ("port", &address.port().to_string()),
        ("https", &https),
        ("modules", &modules),
        ("disabled", disabled),
    ];
    configure(TEMPLATE, &config, &values)?;
    contacts::accounts(dir, domain, setting.accounts)?;
    let launch = Launch::new(Path::new("prosody"), address, &dir.join("output.log"), |command| {
        command.arg("-F").arg("--config").arg(&config);
    })?;
    Peer::new(launch, scratch, domain).await
}

const TEMPLATE: &str = include_str!("../../../../bench/prosody.cfg.lua");

const ROOMS: &str = "\nComponent \"conference.localhost\" \"muc\"\n\
    \tmodules_enabled = { \"muc_mam\" }\n";

/// The largest file is Prosody's default; so are the limits of a day, which are a
/// hundred times as much.
const FILES: &str = "\nComponent \"upload.localhost\" \"http_file_share\"\n\
    \thttp_host = \"localhost\"\n\
    \thttp_external_url = \"https://localhost:{{https}}/\"\n";

const FEDERATION_MODULES: &str = "\"bench_places\"; \"s2s\"; \"s2s_auth_certs\"; \"s2s_bidi\"; ";

const FEDERATION: &str = "\
    plugin_paths = { \"{{dir}}\" }\n\
    bench_places = { [\"{{other}}\"] = {{other_port}} }\n\
    s2s_interfaces = { \"127.0.0.1\" }\n\
    s2s_ports = { {{port}} }\n\
    s2s_require_encryption = true\n\
    s2s_secure_auth = true\n";

const PLACES: &str = include_str!("../../../../bench/prosody_places.lua");
