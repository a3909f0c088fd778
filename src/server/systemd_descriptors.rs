//! The descriptors that a service manager passes, as owned ones: the one place of this room with
//! `unsafe`.
#![expect(
    unsafe_code,
    reason = "a number in the environment becomes a descriptor; there is no safe way"
)]

use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// The number of the first one (sd_listen_fds(3)).
const FIRST: RawFd = 3;
/// More than anyone needs; a limit on what the environment makes us do.
pub(super) const DESCRIPTORS_MAX: u16 = 64;

/// Owns `count` descriptors from the first on, in order, without those that are no sockets. The
/// second call in a process gets none: they have an owner.
///
/// The caller has seen that they were passed to this process, and calls before it opens anything
/// itself.
pub(super) fn take(count: u16) -> Vec<OwnedFd> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::AcqRel) {
        return Vec::new();
    }
    let mut owned = Vec::new();
    for offset in 0..count.min(DESCRIPTORS_MAX) {
        let number = FIRST + RawFd::from(offset);
        let link = std::fs::read_link(format!("/proc/self/fd/{number}"));
        let is_socket =
            link.is_ok_and(|link| link.as_os_str().as_encoded_bytes().starts_with(b"socket:"));
        if is_socket {
            // SAFETY: the number is an open socket. The service manager opened it before this
            // program began, for this process (LISTEN_PID), so that nothing else here owns it; and
            // `TAKEN` makes sure that it gets one owner only.
            owned.push(unsafe { OwnedFd::from_raw_fd(number) });
        }
    }
    owned
}
