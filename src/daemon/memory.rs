//! How much memory this process may take before the kernel refuses it, or ends the process.
#![expect(
    clippy::disallowed_methods,
    reason = "reads what the kernel allows; the composition root may open files"
)]

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path};

use rustix::process::{Resource, getrlimit};

/// What rules, model, stacks and the allocator take next to the messages.
const RESIDENT: usize = 128 << 20;
/// Bytes in flight that are allowed however little memory there is.
const BUDGET_MIN: usize = 8 << 20;
/// Bytes read of one file of the kernel.
const FILE_MAX: u64 = 4_096;

/// The budget of bytes in flight: as configured, but at most half of what is available after the
/// program itself. The other half is for what the allocator and the kernel add. So a message is
/// deferred before the kernel ends the daemon.
pub(super) fn budget_within(configured: usize, available: Option<usize>) -> usize {
    let Some(available) = available else {
        return configured;
    };
    let most = available.saturating_sub(RESIDENT) / 2;
    configured.min(most.max(BUDGET_MIN))
}

/// The lowest of the limits that hold for this process: those of its cgroup (version 2 or 1) and of
/// all above it, RLIMIT_AS and RLIMIT_DATA. `None` where there is no limit.
pub(super) fn memory_available() -> Option<usize> {
    let membership = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let cgroup = cgroup_limit(&membership, Path::new("/sys/fs/cgroup"));
    let limits = [Resource::As, Resource::Data].map(|resource| getrlimit(resource).current);
    let lowest = limits.into_iter().flatten().chain(cgroup).min()?;
    usize::try_from(lowest).ok()
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
    fn the_budget_leaves_room_for_the_program() {
        let mib = |count: usize| count << 20;
        assert_eq!(budget_within(mib(1_024), None), mib(1_024));
        assert_eq!(budget_within(mib(1_024), Some(mib(512))), mib(192));
        assert_eq!(budget_within(mib(100), Some(mib(512))), mib(100));
        assert_eq!(budget_within(mib(100), Some(mib(1))), BUDGET_MIN);
    }
}
