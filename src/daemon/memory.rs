//! How much memory this process may take before the kernel refuses it, or ends the process.
#![expect(
    clippy::disallowed_methods,
    reason = "reads what the kernel allows; the composition root may open files"
)]

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path};
use std::sync::Arc;
use std::time::Duration;

use gatepost_engine::Budget;
use rustix::process::{Resource, getrlimit};

use super::allocator::{ARENA, arenas, trim};

/// What rules, model, stacks and the allocator keep resident next to the messages.
const RESIDENT: u64 = 128 << 20;
/// Stack of a thread that is still to be started, and what else it takes.
const THREAD: u64 = 3 << 20;
/// Bytes in flight that are allowed however little memory there is.
const BUDGET_MIN: usize = 8 << 20;
/// How often memory that is free is looked for.
const TRIM_EVERY: Duration = Duration::from_secs(5);
/// Bytes more than usual that are worth giving back.
const TRIM_FROM: usize = 32 << 20;
/// Bytes read of one file of the kernel.
const FILE_MAX: u64 = 4_096;

/// The budget of bytes in flight: as configured, but at most a third of what is available to messages.
/// The rest is for unfinished packets, growing buffers (for a moment there are two of them), and what
/// the allocator and the kernel add. So a message is deferred before the
/// kernel ends the daemon.
pub(super) fn budget_within(configured: usize, available: Option<usize>) -> usize {
    let Some(available) = available else {
        return configured;
    };
    configured.min((available / 3).max(BUDGET_MIN))
}

/// What is left for messages of the lowest limit that holds for this process: those of its cgroup
/// (version 2 or 1) and of all above it, `RLIMIT_AS` and `RLIMIT_DATA`. `None` where there is no
/// limit. `threads` are still to be started.
pub(super) fn memory_available(threads: usize) -> Option<usize> {
    let membership = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let cgroup = cgroup_limit(&membership, Path::new("/sys/fs/cgroup"));
    let cgroup = cgroup.map(|limit| limit.saturating_sub(RESIDENT));
    let status = read(Path::new("/proc/self/status")).unwrap_or_default();
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let threads = count(threads).saturating_mul(THREAD);
    let arenas = count(arenas()).saturating_mul(ARENA);
    // These two count addresses, not pages in use, so what the process has by now tells exactly.
    let left = |resource, field, to_come: u64| {
        let limit = getrlimit(resource).current?;
        let taken = kibibytes(&status, field).unwrap_or(RESIDENT);
        Some(limit.saturating_sub(taken).saturating_sub(to_come))
    };
    let limits = [
        cgroup,
        left(Resource::As, "VmSize:", threads.saturating_add(arenas)),
        left(Resource::Data, "VmData:", threads),
    ];
    usize::try_from(limits.into_iter().flatten().min()?).ok()
}

/// Returns what a burst of mail left behind, in a thread of its own that ends with the process.
/// Large blocks go back when they are freed; small ones only where someone asks for it.
pub(super) fn keep_trimmed(budget: &Arc<Budget>) {
    let budget = Arc::clone(budget);
    let started = std::thread::Builder::new()
        .name("memory".to_owned())
        .spawn(move || {
            let mut usual = resident();
            loop {
                std::thread::sleep(TRIM_EVERY);
                let is_burst_over = budget.used() < TRIM_FROM / 4;
                if is_burst_over && resident() > usual.saturating_add(TRIM_FROM) {
                    trim();
                    usual = resident();
                }
            }
        });
    if let Err(error) = started {
        log::error!("cannot start the thread that gives back memory: {error}");
    }
}

/// Bytes of memory that this process holds.
fn resident() -> usize {
    let status = read(Path::new("/proc/self/status")).unwrap_or_default();
    let bytes = kibibytes(&status, "VmRSS:").and_then(|bytes| usize::try_from(bytes).ok());
    bytes.unwrap_or(0)
}

/// A field of `/proc/self/status` in bytes.
fn kibibytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let number: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    number.checked_mul(1 << 10)
}

/// The lowest memory limit of the cgroups that `membership` (`/proc/self/cgroup`) names.
fn cgroup_limit(membership: &str, root: &Path) -> Option<u64> {
    let mut lowest: Option<u64> = None;
    for line in membership.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        let (top, name) = if controllers.is_empty() {
            (root.to_owned(), "memory.max")
        } else if controllers.split(',').any(|name| name == "memory") {
            (root.join("memory"), "memory.limit_in_bytes")
        } else {
            continue;
        };
        // From the top down to our own: the limit of each holds for all below it.
        let mut directory = top;
        let limit = limit_in(&directory.join(name));
        lowest = [lowest, limit].into_iter().flatten().min();
        for component in Path::new(path).components() {
            if let Component::Normal(part) = component {
                directory.push(part);
                let limit = limit_in(&directory.join(name));
                lowest = [lowest, limit].into_iter().flatten().min();
            }
        }
    }
    lowest
}

/// The number in a file; `max`, and a file that is not there, are no limit.
fn limit_in(path: &Path) -> Option<u64> {
    read(path)?.trim().parse().ok()
}

fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = File::open(path).ok()?;
    file.take(FILE_MAX).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_limit_on_the_way_down_counts() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("a/memory.max", "536870912\n");
        write("a/b/memory.max", "max\n");
        write("memory/c/memory.limit_in_bytes", "1000\n");
        let limit = |membership| cgroup_limit(membership, root.path());
        assert_eq!(limit("0::/a/b\n"), Some(536_870_912));
        assert_eq!(limit("0::/a/../../b/c\n"), Some(536_870_912));
        assert_eq!(limit("0::/\n1:cpu:/c\n"), None);
        assert_eq!(limit("4:cpu,memory:/c\n0::/a\n"), Some(1_000));
        assert_eq!(limit("nonsense"), None);
    }

    #[test]
    fn the_fields_of_the_kernel_are_read() {
        let status = "Name:\tx\nVmSize:\t  16384 kB\nVmData:\t many\n";
        assert_eq!(kibibytes(status, "VmSize:"), Some(16 << 20));
        assert_eq!(kibibytes(status, "VmData:"), None);
        assert_eq!(kibibytes(status, "VmRSS:"), None);
    }

    #[test]
    fn the_budget_leaves_room_for_the_program() {
        let mib = |count: usize| count << 20;
        assert_eq!(budget_within(mib(1_024), None), mib(1_024));
        assert_eq!(budget_within(mib(1_024), Some(mib(768))), mib(256));
        assert_eq!(budget_within(mib(100), Some(mib(512))), mib(100));
        assert_eq!(budget_within(mib(100), Some(mib(1))), BUDGET_MIN);
    }
}
