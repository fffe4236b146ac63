//! CPU time and memory of a server, from the kernel's own accounting.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// A process with everything it has started.
#[derive(Debug, Clone, Copy)]
pub struct ProcessTree {
    root: u32,
}

impl ProcessTree {
    /// The tree below (and with) process `root`.
    pub fn new(root: u32) -> Self {
        Self { root }
    }

    /// User and system time of all threads of all processes of the tree since
    /// they started, with that of children that have ended and were waited for.
    /// Resolution: one kernel tick, usually 10 ms.
    pub fn cpu(&self) -> Result<Duration> {
        let mut ticks = 0;
        for pid in self.pids()? {
            // A child may end between the listing and the reading.
            match fs::read_to_string(format!("/proc/{pid}/stat")) {
                Ok(text) => ticks += Stat::parse(&text)?.ticks,
                Err(_) if pid != self.root => {}
                Err(error) => return Err(error).context("the server is gone"),
            }
        }
        Ok(Duration::from_secs(ticks) / ticks_per_second()?)
    }

    /// Proportional set size in bytes, summed over the tree: pages that other
    /// processes map too count in part.
    pub fn pss(&self) -> Result<u64> {
        self.memory("Pss:")
    }

    /// Resident set size in bytes, summed over the tree: libraries count whole.
    pub fn rss(&self) -> Result<u64> {
        self.memory("Rss:")
    }

    fn memory(&self, field: &str) -> Result<u64> {
        let mut kilobytes = 0;
        for pid in self.pids()? {
            match fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) {
                Ok(text) => kilobytes += kilobytes_of(&text, field).unwrap_or(0),
                Err(_) if pid != self.root => {}
                Err(error) => return Err(error).context("cannot read the server's memory"),
            }
        }
        Ok(kilobytes * 1024)
    }

    fn pids(&self) -> Result<BTreeSet<u32>> {
        let mut parents = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            if let Ok(text) = fs::read_to_string(Path::new("/proc").join(&name).join("stat")) {
                parents.push((pid, Stat::parse(&text)?.parent));
            }
        }
        Ok(descendants(self.root, &parents))
    }
}

struct Stat {
    parent: u32,
    ticks: u64,
}

impl Stat {
    /// proc(5): pid (comm) state ppid … utime(14) stime(15) cutime(16) cstime(17).
    fn parse(text: &str) -> Result<Self> {
        // The command may contain anything, even `)`.
        let (_, rest) = text.rsplit_once(") ").context("/proc/PID/stat without a command")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let number = |field: usize| -> Result<u64> {
            let text = fields.get(field - 3).context("/proc/PID/stat is too short")?;
            Ok(text.parse()?)
        };
        let ticks = (14..=17).map(number).sum::<Result<u64>>()?;
        Ok(Self { parent: u32::try_from(number(4)?)?, ticks })
    }
}

fn descendants(root: u32, parents: &[(u32, u32)]) -> BTreeSet<u32> {
    let mut tree = BTreeSet::from([root]);
    loop {
        let before = tree.len();
        tree.extend(
            parents
                .iter()
                .filter(|(_, parent)| tree.contains(parent))
                .map(|(pid, _)| *pid)
                .collect::<Vec<_>>(),
        );
        if tree.len() == before {
            return tree;
        }
    }
}

fn kilobytes_of(smaps_rollup: &str, field: &str) -> Option<u64> {
    let line = smaps_rollup.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The unit of CPU time in `/proc`, which the kernel tells each process in its
/// auxiliary vector (`AT_CLKTCK`, key 17 of pairs of machine words).
fn ticks_per_second() -> Result<u32> {
    const WORD: usize = size_of::<usize>();
    let vector = fs::read("/proc/self/auxv").context("cannot read /proc/self/auxv")?;
    for pair in vector.chunks_exact(2 * WORD) {
        let (key, value) = pair.split_at(WORD);
        if usize::from_ne_bytes(key.try_into()?) == 17 {
            return Ok(u32::try_from(usize::from_ne_bytes(value.try_into()?))?);
        }
    }
    bail!("the kernel does not tell its clock ticks")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_with_a_strange_command_is_read() {
        let text = "7 (a) b (c) S 3 7 7 0 -1 4194304 1 0 0 0 11 22 33 44 20 0 1 0 5 0 0";
        let stat = Stat::parse(text).unwrap();
        assert_eq!((stat.parent, stat.ticks), (3, 110));
    }

    #[test]
    fn grandchildren_belong_to_the_tree() {
        let parents = [(2, 1), (5, 4), (4, 3), (3, 1), (6, 2)];
        assert_eq!(descendants(3, &parents), BTreeSet::from([3, 4, 5]));
    }

    #[test]
    fn this_process_has_used_time_and_memory() {
        let me = ProcessTree::new(std::process::id());
        assert!(me.pss().unwrap() > 100_000);
        assert!(me.rss().unwrap() > 100_000);
        assert!(me.cpu().unwrap() < Duration::from_secs(1 << 20));
    }
}
