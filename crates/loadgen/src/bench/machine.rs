//! On what a run was made.

use std::fs;

use crate::peer::scratch::Medium;

/// Processor, cores, memory, kernel, distribution and file systems, in a line.
pub fn describe() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = field(&cpuinfo, "model name").unwrap_or("unknown processor");
    let cores = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes =
        field(&memory, "MemTotal").and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let system = system
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
        .unwrap_or("unknown system");
    let file_system =
        |medium: Medium| medium.file_system().unwrap_or_else(|_| "unknown".to_owned());
    format!(
        "{model}, {cores} cores, {:.0} GiB, {}, Linux {}, disk {}, memory {}",
        kilobytes.unwrap_or(0.0) / (1024.0 * 1024.0),
        system.trim_matches('"'),
        kernel.trim(),
        file_system(Medium::Disk),
        file_system(Medium::Memory),
    )
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| Some(line.strip_prefix(name)?.trim_start().strip_prefix(':')?.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_with_and_without_space() {
        assert_eq!(field("model name\t: X Y\n", "model name"), Some("X Y"));
        assert_eq!(field("MemTotal:       5 kB", "MemTotal"), Some("5 kB"));
        assert_eq!(field("", "MemTotal"), None);
    }
}
