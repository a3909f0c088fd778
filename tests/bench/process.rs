//! What a process has used so far, from /proc.

use std::path::Path;
use std::time::Duration;

/// User and system time of a process so far; zero where it cannot be read. The clock ticks at 100
/// Hz on every Linux there is (`USER_HZ`), so that a run should last for seconds.
pub fn cpu_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"))
        .unwrap_or_default();
    // The second field is the program's name in parentheses, which may itself have spaces.
    let fields = stat
        .rsplit_once(')')
        .map_or("", |(_, fields)| fields)
        .split_whitespace();
    let ticks: u64 = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}

/// The most memory that a process ever had resident, in bytes; zero where it cannot be read.
pub fn peak_resident(pid: u32) -> u64 {
    status(pid, "VmHWM:")
}

/// The memory that a process has resident, in bytes; zero where it cannot be read.
pub fn resident(pid: u32) -> u64 {
    status(pid, "VmRSS:")
}

fn status(pid: u32, key: &str) -> u64 {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"))
        .unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(key))
        .unwrap_or_default();
    line.trim()
        .trim_end_matches(" kB")
        .trim()
        .parse::<u64>()
        .map_or(0, |kilobytes| kilobytes * 1024)
}
