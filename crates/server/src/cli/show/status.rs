//! `anemone status`.

use std::fmt::Write as _;

use super::{clean, count, text};
use crate::{admin::Status, files::size};

pub(super) fn show(status: &Status) {
    let mut page = String::new();
    let state = if status.running { "running" } else { "stopped" };
    let _ = writeln!(page, "{} is {state}, version {}", status.domain, status.version);
    for door in &status.listening {
        let _ = writeln!(page, "  {:<11} {}", door.service.to_string(), door.address);
    }
    let _ = writeln!(page, "  accounts    {}", status.accounts);
    if status.running {
        let _ = writeln!(page, "  sessions    {}", status.sessions);
    }
    let _ = writeln!(page, "  database    {}", size(status.database_bytes));
    if let Some(free) = status.disk_free_bytes {
        let _ = writeln!(page, "  disk        {} free", size(free));
    }
    if status.waiting > 0 {
        let (waiting, bytes) = (count(status.waiting, "stanza"), size(status.waiting_bytes));
        let _ = writeln!(page, "  waiting     {waiting} for other servers, {bytes}");
    }
    if let Some(until) = status.certificate() {
        let _ = writeln!(page, "  tls         the certificate is good {until}");
    }
    if let Some(relaying) = status.relaying() {
        let _ = writeln!(page, "  calls       relay: {}", clean(&relaying));
    }
    if let Some(damage) = status.damage() {
        let _ = writeln!(page, "  damaged     {damage}");
    }
    if let Some(clock) = &status.clock {
        let _ = writeln!(page, "  clock       {}", clean(clock));
    }
    if let Some(order) = status.order() {
        let _ =
            writeln!(page, "  ordered     it {order} (to call that off: anemone stop --cancel)");
    }
    if !status.storing {
        let _ =
            writeln!(page, "  The disk does not take writes: messages are refused. See the log.");
    }
    text(&page);
}
