//! Settings of the allocator of glibc: what a burst of mail took goes back to the system when it is
//! over.
#![cfg_attr(
    target_env = "gnu",
    expect(
        unsafe_code,
        reason = "mallopt(3) and malloc_trim(3) have no safe wrapper"
    )
)]

/// Blocks from this size on are mapped on their own and returned when they are freed. Left alone,
/// glibc raises it to 32 MiB with the first large block that is freed, and then keeps what a burst
/// took: 410 MB of 400 half packets stayed for good (measured 2026-11-29).
#[cfg(target_env = "gnu")]
const MAPPED_FROM: libc::c_int = 256 << 10;

/// Address space that glibc sets aside for an arena.
pub(super) const ARENA: u64 = 64 << 20;

/// Arenas: one for each worker, and a few for all other threads. glibc would set aside eight for
/// each core, which a limit of address space does not allow.
pub(super) fn arenas() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from) + 2
}

/// To be called before threads are started.
#[cfg(target_env = "gnu")]
pub(super) fn configure() {
    let arenas = libc::c_int::try_from(arenas()).unwrap_or(libc::c_int::MAX);
    // SAFETY: mallopt(3) takes two numbers and changes settings of the allocator under its own lock;
    // it touches no memory of ours. Where it refuses a value, the old one stays.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM);
        libc::mallopt(libc::M_ARENA_MAX, arenas);
    }
}

/// Returns the free pages of all arenas to the system.
#[cfg(target_env = "gnu")]
pub(super) fn trim() {
    // SAFETY: malloc_trim(3) locks each arena in turn and returns pages that no block lies in.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other C libraries have no such settings.
#[cfg(not(target_env = "gnu"))]
pub(super) fn configure() {}

/// Other C libraries return memory by themselves or not at all.
#[cfg(not(target_env = "gnu"))]
pub(super) fn trim() {}
