//! Tests of the site learner: what it learns, what it ignores, and what must not harm it.

use super::*;
use crate::features::TrustedAuthservIds;

fn view(raw: &str) -> SiteView {
    SiteView::of_stored(
        raw.as_bytes(),
        &TrustedAuthservIds::new(&["mx.example.net".to_owned()]),
    )
}

fn spam() -> SiteView {
    view("From: x@example.com\n\ncheap pills, buy now")
}

fn ham() -> SiteView {
    view("From: y@example.net\n\nshall we meet for lunch")
}

fn taught(settings: SiteSettings, times: usize) -> SiteLearner {
    let mut learner = SiteLearner::new(settings);
    for _ in 0..times {
        learner.learn(&spam(), true);
        learner.learn(&ham(), false);
    }
    learner
}

#[test]
fn learns_and_is_deterministic() {
    let settings = SiteSettings::default();
    assert_eq!(
        SiteLearner::new(settings.clone()).score(&spam()),
        0.0,
        "it knows nothing at first"
    );
    let learner = taught(settings.clone(), 20);
    assert!(learner.score(&spam()) > 0.5 && learner.score(&ham()) < -0.5);
    let long = format!(
        "Subject: cheap\n\n{}buy now",
        "shall we meet for lunch ".repeat(80)
    );
    for view in [
        spam(),
        ham(),
        view(""),
        view("Subject: cheap\n\nlunch"),
        view(&long),
    ] {
        let difference = learner.score(&view) - learner.score_slots(&learner.slots(&view));
        assert!(difference.abs() < 1e-9, "{difference}");
    }
    assert_eq!(
        learner,
        taught(settings, 20),
        "the same labels give the same weights"
    );
    assert_eq!(learner.labels(), (20, 20));
    let judge = learner.frozen();
    assert_eq!(
        (judge.score(&spam()), judge.labels()),
        (learner.score(&spam()), (20, 20))
    );
    assert!(
        !judge.clone().learn(&spam(), false),
        "a judge does not learn"
    );
}

/// The logit of a text is the mean of those of its windows, and a long one is not as many labels.
#[test]
fn windows_share_one_logit() {
    let text = |view: &SiteView, learner: &SiteLearner| {
        let mut logits = TableLogits::default();
        for (section, slots) in learner
            .slots(view)
            .sections(18)
            .filter(|(section, _)| *section >= FIRST_WINDOW)
        {
            logits.add(section, learner.logit(slots));
        }
        (logits.windows(), logits.text())
    };
    let pills = |times: usize| view(&format!("\n\n{}", "cheap pills, buy now ".repeat(times)));
    let learner = taught(SiteSettings::default(), 20);
    let (one, four) = (text(&pills(30), &learner), text(&pills(120), &learner));
    assert_eq!((one.0, four.0), (1.0, 4.0));
    assert!((one.1 - four.1).abs() < 0.2 * one.1, "{one:?} {four:?}");
    let first = |times: usize| {
        let mut learner = SiteLearner::new(SiteSettings::default());
        learner.learn(&pills(times), true);
        text(&pills(30), &learner).1
    };
    assert!(
        (first(120) - first(30)).abs() < 0.3 * first(30),
        "{} {}",
        first(30),
        first(120)
    );
}

#[test]
fn goes_on_as_if_it_had_never_stopped() {
    let settings = SiteSettings::default();
    let mut through = taught(settings.clone(), 10);
    let mut again = SiteLearner::from_checkpoint(settings, through.checkpoint()).unwrap();
    for learner in [&mut through, &mut again] {
        learner.learn(&view("Subject: a\n\nmore to learn"), true);
        learner.learn(&ham(), false);
    }
    assert_eq!(through, again);
}

#[test]
fn a_forged_sender_inherits_nothing() {
    let pass = |domain: &str| {
        format!("Authentication-Results: mx.example.net; dmarc=pass header.from={domain}\n")
    };
    let body = |n: usize| format!("\nbody number {n}, about nothing in particular\n");
    let mut learner = SiteLearner::new(SiteSettings {
        rate: 0.02,
        ..SiteSettings::default()
    });
    let boss = "From: Boss <boss@example.com>\n";
    for n in 0..30 {
        learner.learn(
            &view(&format!("{}{boss}{}", pass("example.com"), body(n))),
            false,
        );
        learner.learn(
            &view(&format!("From: x{n} <x{n}@example.org>\n{}", body(n))),
            true,
        );
    }
    let score = |header: &str| learner.score(&view(&format!("{header}{}", body(99))));
    let real = score(&format!("{}{boss}", pass("example.com")));
    let forged = score(boss);
    let named_too = score(&format!(
        "{}From: \"Boss <boss@example.com>\" <a@example.org>\n",
        pass("example.org")
    ));
    assert!(real < -2.0, "{real}");
    assert!(
        forged > real + 2.0 && named_too > real + 2.0,
        "{real} {forged} {named_too}"
    );
}

#[test]
fn a_domain_with_a_copy_learns_for_itself_and_for_all() {
    let to = |domain: &str| {
        view(&format!(
            "Received: from x by mx for <a@{domain}>; now\n\noffers of the week"
        ))
    };
    let domains = vec!["one.example".to_owned(), "two.example".to_owned()];
    let mut learner = SiteLearner::new(SiteSettings {
        domains,
        ..SiteSettings::default()
    });
    for _ in 0..20 {
        learner.learn(&to("one.example"), true);
        learner.learn(&to("two.example"), false);
    }
    let [one, two, other] =
        ["one.example", "two.example", "three.example"].map(|domain| learner.score(&to(domain)));
    assert!(
        one > 1.0 && two < -1.0 && other.abs() < 1.0,
        "{one} {two} {other}"
    );
    let mut plain = SiteLearner::new(SiteSettings::default());
    let slots = |learner: &SiteLearner, domain: &str| learner.slots(&to(domain)).numbers().len();
    assert_eq!(
        slots(&learner, "three.example"),
        slots(&plain, "three.example")
    );
    assert!(slots(&learner, "One.Example") > slots(&plain, "One.Example") * 19 / 10);
    plain.learn(&to("one.example"), true);
    assert!(
        plain.score(&to("two.example")) > 0.0,
        "without copies one domain teaches the other"
    );
}

#[test]
fn a_margin_leaves_sure_answers_alone() {
    let settings = SiteSettings {
        margin: Some(0.3),
        ..SiteSettings::default()
    };
    let mut learner = taught(settings, 50);
    assert!(!learner.learn(&spam(), true), "sure and right");
    assert!(learner.learn(&spam(), false), "wrong");
    let all = taught(SiteSettings::default(), 50);
    assert!(all.score(&spam()) > learner.score(&spam()));
    assert_eq!(learner.labels(), (51, 51), "every label is counted");
}

#[test]
fn impossible_settings_and_knowledge_do_no_harm() {
    for bits in [0, 15, 16, 22, 23, u32::MAX] {
        let size = SiteLearner::new(SiteSettings {
            bits,
            ..SiteSettings::default()
        })
        .weights()
        .len();
        assert!((TABLES << 16..=TABLES << 22).contains(&size), "{bits}");
    }
    let settings = SiteSettings {
        bits: 16,
        rate: f32::NAN,
        ..SiteSettings::default()
    };
    assert_eq!(taught(settings, 3).score(&spam()), 0.0);
    let settings = SiteSettings {
        bits: 16,
        ..SiteSettings::default()
    };
    let knowing = |weights: Vec<f32>, squares: Vec<f32>| {
        let checkpoint = Checkpoint {
            weights,
            squares,
            ..Checkpoint::default()
        };
        SiteLearner::from_checkpoint(settings.clone(), checkpoint).is_some()
    };
    let (whole, short) = (vec![0.0; TABLES << 16], vec![0.0; 2 << 16]);
    assert!(knowing(whole.clone(), whole.clone()));
    assert!(!knowing(whole.clone(), short.clone()) && !knowing(short, whole.clone()));
    for bad in [f32::NAN, f32::INFINITY, -1e9] {
        let mut odd = whole.clone();
        odd[7] = bad;
        assert!(
            !knowing(odd.clone(), whole.clone()) && !knowing(whole.clone(), odd),
            "{bad}"
        );
    }
    let foreign = Slots::from_numbers(vec![u32::MAX, 5, 5]);
    assert_eq!(foreign.numbers(), [5, u32::MAX]);
    let mut learner = SiteLearner::new(SiteSettings {
        bits: 16,
        rate: 1.0,
        ..SiteSettings::default()
    });
    for _ in 0..100 {
        assert!(learner.score_slots(&foreign).is_finite());
        learner.learn_slots(&foreign, true);
    }
    assert!(learner.weights().iter().all(|weight| weight.abs() <= 16.0));
}
