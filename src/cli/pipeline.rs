//! Many messages through several threads: read on one, worked on by all, taken in input order.
//!
//! Memory is bounded: reading waits while [`AHEAD`] items for each thread are in work or wait for
//! an earlier one to be taken. A panic in the work on one item ends that item, not the command.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use crossbeam::channel::{Receiver, Sender, bounded};

use super::Exit;
use super::failure::Failure;
use gatepost_words::clock::Clock;

/// Items in work for each thread.
const AHEAD: usize = 8;

/// The work on one item panicked: a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Panicked;

/// An item after the work on it.
pub(super) struct Done<I, O> {
    /// The item, as the work left it.
    pub(super) item: I,
    /// What the work gave.
    pub(super) result: Result<O, Panicked>,
    /// How long the work took.
    pub(super) elapsed: Duration,
}

/// An item, and where the result is awaited.
struct Task<I, O> {
    item: I,
    result: Sender<Done<I, O>>,
}

/// Threads when the command line does not give a number: one for each core.
pub(super) fn jobs(wanted: Option<u16>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    wanted.map_or_else(cores, usize::from).max(1)
}

/// Lets `read` hand over items until its argument returns false, works on each with one of `jobs`
/// threads, and gives the results to `take` on this thread, in the order in which they were read.
///
/// `scratch` makes the working memory of a thread, and makes it again after a panic. An error of
/// `take` ends the reading; what `read` returned is the result.
pub(super) fn in_order<I, O, S, R>(
    jobs: usize,
    read: impl FnOnce(&mut dyn FnMut(I) -> bool) -> R + Send,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &mut I) -> O + Sync,
    mut take: impl FnMut(Done<I, O>) -> Result<(), Failure>,
) -> Result<R, Failure>
where
    I: Send,
    O: Send,
    R: Send,
{
    let (tasks, waiting) = bounded::<Task<I, O>>(jobs * AHEAD);
    let (order, results) = bounded::<Receiver<Done<I, O>>>(jobs * AHEAD);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            read(&mut |item| {
                let (result, awaited) = bounded(1);
                // Either end is gone only when taking failed: then reading ends too.
                order.send(awaited).is_ok() && tasks.send(Task { item, result }).is_ok()
            })
        });
        for _ in 0..jobs {
            let (waiting, scratch, work) = (waiting.clone(), &scratch, &work);
            scope.spawn(move || work_on(&waiting, scratch, work));
        }
        drop(waiting);
        for awaited in results {
            // A thread answers every task; a lost one would be a bug, and must not look like an
            // input that ended early.
            let done = awaited.recv().map_err(|_| died())?;
            take(done)?;
        }
        ScopedJoinHandle::join(reader).map_err(|_| died())
    })
}

fn died() -> Failure {
    Failure::new(Exit::Bug, "a thread of the pipeline died")
}

fn work_on<I, O, S>(
    waiting: &Receiver<Task<I, O>>,
    scratch: &impl Fn() -> S,
    work: &impl Fn(&mut S, &mut I) -> O,
) {
    let clock = Clock::system();
    let mut own = scratch();
    for Task {
        mut item,
        result: to,
    } in waiting
    {
        let begun = clock.now();
        let result = catch_unwind(AssertUnwindSafe(|| work(&mut own, &mut item)));
        let elapsed = clock.now().duration_since(begun);
        if result.is_err() {
            own = scratch();
        }
        let done = Done {
            item,
            result: result.map_err(|_| Panicked),
            elapsed,
        };
        if to.send(done).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn numbers(count: usize) -> impl FnOnce(&mut dyn FnMut(usize) -> bool) -> usize + Send {
        move |take| (0..count).take_while(|number| take(*number)).count()
    }

    #[test]
    fn results_come_in_the_order_of_the_input() {
        let mut seen = Vec::new();
        let work = |(): &mut (), number: &mut usize| {
            // The first ones take longest.
            std::thread::sleep(Duration::from_millis(20_u64.saturating_sub(*number as u64)));
            *number * 2
        };
        let read = in_order(
            4,
            numbers(100),
            || (),
            work,
            |done| {
                seen.push((done.item, done.result));
                Ok(())
            },
        );
        assert_eq!(read.ok(), Some(100));
        let expected: Vec<_> = (0..100).map(|number| (number, Ok(number * 2))).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_panic_ends_one_item_and_gives_the_thread_new_memory() {
        let mut seen = Vec::new();
        let work = |count: &mut usize, number: &mut usize| {
            *count += 1;
            assert_ne!(*number, 3, "this is a test");
            *count
        };
        let read = in_order(
            1,
            numbers(6),
            || 0,
            work,
            |done| {
                seen.push(done.result);
                Ok(())
            },
        );
        assert_eq!(read.ok(), Some(6));
        let expected = [Ok(1), Ok(2), Ok(3), Err(Panicked), Ok(1), Ok(2)];
        assert_eq!(seen, expected);
    }

    #[test]
    fn an_error_of_the_taker_ends_the_reading_and_is_the_result() {
        let read = std::sync::atomic::AtomicUsize::new(0);
        let endless = |take: &mut dyn FnMut(usize) -> bool| {
            while take(0) {
                read.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        };
        let failed = in_order(2, endless, || (), |(), _| (), |_| Err(Failure::BrokenPipe));
        assert!(matches!(failed, Err(Failure::BrokenPipe)));
        let read = read.into_inner();
        assert!(read <= 2 * AHEAD + 2, "{read} were read ahead");
    }
}
