//! The end of a server: what it finishes, what it closes, how long it waits.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::ServeError;
use super::testing::{Mode, Site, TIMEOUT, packet};

#[test]
fn a_drain_finishes_what_has_begun_and_closes_the_rest() {
    let site = Site::start(Mode::Later, |_| ());
    let (mut idle, mut begun, mut waiting) =
        (site.connect("0"), site.connect("0"), site.connect("1"));
    for mta in [&mut idle, &mut begun, &mut waiting] {
        mta.greet();
    }
    begun.send(&packet(b'M', b"<a@example.com>\0"));
    assert_eq!(begun.answers(1), "c");
    waiting.submit();
    let first = site.service.jobs.recv_timeout(TIMEOUT).unwrap();
    site.requests.terminate();
    idle.expect_end();
    assert!(
        UnixStream::connect(site.path("0")).is_err(),
        "no new client is let in"
    );
    first.finish();
    assert_eq!(waiting.answers(1), "t");
    waiting.expect_end();
    begun.send(&[packet(b'R', b"<b@example.net>\0"), packet(b'E', b"")].concat());
    assert_eq!(begun.answers(1), "c");
    site.service.jobs.recv_timeout(TIMEOUT).unwrap().finish();
    assert_eq!(begun.answers(1), "t");
    begun.expect_end();
    assert_eq!(site.service.count_events("DRAIN"), 1);
    site.join().unwrap();
}

#[test]
fn a_drain_does_not_wait_for_ever() {
    let site = Site::start(Mode::Later, |settings| {
        settings.drain_timeout = Duration::from_millis(20);
    });
    let mut mta = site.connect("0");
    mta.greet();
    mta.submit();
    let job = site.service.jobs.recv_timeout(TIMEOUT).unwrap();
    let service = std::sync::Arc::clone(&site.service);
    site.end();
    mta.expect_end();
    assert_eq!(service.count_events("CLOSE"), 1);
    job.finish();
}

#[test]
fn a_second_termination_ends_at_once() {
    let site = Site::start(Mode::Later, |_| ());
    let mut mta = site.connect("0");
    mta.greet();
    mta.submit();
    let _job = site.service.jobs.recv_timeout(TIMEOUT).unwrap();
    site.requests.terminate();
    site.service.wait_for(0, |_| true);
    site.requests.terminate();
    assert!(matches!(site.join(), Err(ServeError::Forced)));
    mta.expect_end();
}
