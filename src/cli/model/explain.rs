//! `gatepost model explain FILE`: which expert, which words and which features pushed a judgement.
//! Every number shown is a part of a sum.

use serde::Serialize;

use crate::cli::Exit;
use crate::cli::arguments::Format;
use crate::cli::failure::Failure;
use crate::cli::learn::{self, StateArguments};
use crate::cli::terminal::{Output, escaped};
use crate::config::Loaded;
use crate::daemon::{load_attribution, load_model};
use gatepost_learn::classifier::{
    Attribution, Contribution, FrozenSite, Model, Probability, Stacker,
};
use gatepost_learn::features::{SiteView, TrustedAuthservIds, explained};
use gatepost_learn::learning::{self, TrainingExample};
use gatepost_mail::{Limits, Specimen};
use gatepost_reader::{Unread, read_all};

/// How the log-odds came about: `offset` and the parts of both experts add up to them; and the
/// words of each expert and its others to its part.
#[derive(Serialize)]
struct Explanation {
    model: String,
    probability: f64,
    log_odds: f64,
    offset: f64,
    content: Part,
    site: Part,
    content_words: Vec<Push>,
    content_others: Others,
    words: Vec<Push>,
    others: Others,
}

/// What one expert adds: its logit times its weight.
#[derive(Serialize)]
struct Part {
    opinion: Option<f64>,
    weight: f64,
    adds: f64,
}

/// What one word or feature adds by way of its expert.
#[derive(Serialize)]
struct Push {
    place: String,
    word: String,
    adds: f64,
}

/// The words that are not listed one by one.
#[derive(Default, Serialize)]
struct Others {
    words: usize,
    adds: f64,
}

/// Explains one message.
pub(super) fn explain(
    loaded: &Loaded,
    path: &std::path::Path,
    words: usize,
    state: &StateArguments,
) -> Result<Exit, Failure> {
    let config = &loaded.config;
    let settings = learn::settings(&config.learner, state)?;
    let site = learning::info(&settings).map_err(|error| {
        Failure::new(
            Exit::of_io(&error),
            format!("{}: {error}", settings.directory.display()),
        )
    })?;
    let model = load_model(&config.model)?;
    let mut raw = None;
    read_all(&[path.to_owned()], config.limits.message, &mut |item| {
        raw = Some(item.as_delivered());
        false
    });
    let raw = raw
        .unwrap_or_else(|| Err(Unread::NotAMessage("there is no message in it".to_owned())))
        .map_err(|error| Failure::new(Exit::BadInput, format!("{}: {error}", path.display())))?;
    let trust = TrustedAuthservIds::new(&config.learner.trusted_authservs);
    let learner = gatepost_learn::classifier::SiteLearner::new(settings.learner.clone());
    let example =
        TrainingExample::of_stored(&raw, &learner, model.as_ref(), &trust, &config.limits);
    let view = SiteView::of_stored(&raw, &trust);
    let pushes = load_attribution(&config.model)?
        .map(|attribution| content_pushes(&attribution, &raw, &config.limits));
    let pushes = pushes.unwrap_or_default();
    let content = example.content.map(f64::from);
    let explanation = explanation(
        model.as_ref(),
        site.as_deref(),
        content,
        &pushes,
        &view,
        words,
    );
    let mut out = Output::new();
    match state.format {
        Format::Json => out.line(serde_json::to_string(&explanation).unwrap_or_default())?,
        Format::Text => out.text(&text(&explanation))?,
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn explanation(
    model: Option<&Model>,
    site: Option<&FrozenSite>,
    content: Option<f64>,
    pushes: &[Contribution],
    view: &SiteView,
    words: usize,
) -> Explanation {
    let id = model.map(|model| model.manifest().id.as_str());
    let name = match (site, id) {
        (Some(site), id) => site.name(id).to_string(),
        (None, id) => id.unwrap_or("none").to_owned(),
    };
    let stacker = site.map_or_else(Stacker::default, |site| *site.stacker());
    let logit = site.map(|site| site.learner().score(view));
    let without = Stacker {
        site: 0.0,
        offset: 0.0,
        ..stacker
    }
    .log_odds(content, 0.0);
    let log_odds = stacker.log_odds(content, logit.unwrap_or(0.0));
    let of_site = log_odds - without - stacker.offset;
    // A logit beyond what the stacker takes counts less; then so do all of its parts alike.
    let scale = logit
        .filter(|logit| *logit != 0.0)
        .map_or(0.0, |logit| of_site / logit);
    let parts: Vec<Contribution> = site
        .map(|site| site.learner().contributions(view))
        .unwrap_or_default();
    let (listed, others) = strongest(&parts, words, scale);
    let scale = content
        .filter(|content| *content != 0.0)
        .map_or(0.0, |content| without / content);
    let (content_words, content_others) = strongest(pushes, words, scale);
    Explanation {
        model: name,
        probability: Probability::from_logit(log_odds).value(),
        log_odds,
        offset: stacker.offset,
        content: Part {
            opinion: content,
            weight: stacker.content,
            adds: without,
        },
        site: Part {
            opinion: logit,
            weight: stacker.site,
            adds: of_site,
        },
        content_words,
        content_others,
        words: listed,
        others,
    }
}

/// The strongest pushes, and the others together.
fn strongest(parts: &[Contribution], words: usize, scale: f64) -> (Vec<Push>, Others) {
    let (listed, others) = parts.split_at_checked(words).unwrap_or((parts, &[]));
    let push = |part: &Contribution| Push {
        place: part.place.clone(),
        word: part.word.clone(),
        adds: part.logit * scale,
    };
    let adds = others
        .iter()
        .fold(0.0, |sum, part| sum + part.logit * scale);
    (
        listed.iter().map(push).collect(),
        Others {
            words: others.len(),
            adds,
        },
    )
}

/// What pushed the content model. No feature of it depends on when or to whom the message came.
fn content_pushes(attribution: &Attribution, raw: &[u8], limits: &Limits) -> Vec<Contribution> {
    let specimen = Specimen::stored(raw);
    let message = specimen.message(limits);
    let (vector, origins) = explained(&specimen.case(&message));
    attribution.contributions(&vector, &origins)
}

fn text(explanation: &Explanation) -> String {
    let Explanation {
        model,
        probability,
        log_odds,
        offset,
        content,
        site,
        ..
    } = explanation;
    let logit = |part: &Part| {
        part.opinion
            .map_or_else(|| "none".to_owned(), |logit| format!("{logit:+.3}"))
    };
    let mut lines = vec![
        format!(
            "log-odds {log_odds:+.3}   probability {probability:.4}   model {}",
            escaped(model)
        ),
        format!(
            "  {:>+8.3}  content model: {} times its weight {:.3}",
            content.adds,
            logit(content),
            content.weight
        ),
        format!(
            "  {:>+8.3}  site learner: {} times its weight {:.3}",
            site.adds,
            logit(site),
            site.weight
        ),
        format!("  {offset:>+8.3}  offset"),
    ];
    for (expert, words, others) in [
        (
            "content model, by words and features:",
            &explanation.content_words,
            &explanation.content_others,
        ),
        (
            "site learner, by words:",
            &explanation.words,
            &explanation.others,
        ),
    ] {
        if !words.is_empty() {
            lines.push(expert.to_owned());
            for Push { place, word, adds } in words {
                lines.push(format!(
                    "  {adds:>+8.3}  {}  {}",
                    escaped(place),
                    escaped(word)
                ));
            }
            lines.push(format!("  {:>+8.3}  {} others", others.adds, others.words));
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepost_learn::classifier::{Site, SiteSettings};
    use gatepost_words::Class;

    #[test]
    fn every_part_is_part_of_the_sum() {
        let view = |raw: &str| SiteView::of_stored(raw.as_bytes(), &TrustedAuthservIds::none());
        let mut site = Site::new(SiteSettings {
            rate: 0.05,
            ..SiteSettings::default()
        });
        for n in 0..300 {
            let (raw, spam) = if n % 2 == 0 {
                ("Subject: win\n\nwin a prize", true)
            } else {
                ("Subject: x\n\nlunch", false)
            };
            let slots = site.learner().slots(&view(raw));
            let class = Class::from_is_spam(spam);
            site.learn(&slots, class, Some(if spam { 1.0 } else { -1.0 }));
        }
        let frozen = site.freeze(5);
        for (site, content) in [
            (Some(&frozen), Some(1.5)),
            (Some(&frozen), None),
            (None, Some(-2.0)),
            (None, None),
        ] {
            let raw = "Subject: win\n\nwin a prize at lunch";
            let push = |word: &str, logit| Contribution {
                place: "text".to_owned(),
                word: word.to_owned(),
                logit,
            };
            let logits = content.map_or(vec![], |content| {
                vec![content + 2.0, -1.0, -0.5, -0.3, -0.2]
            });
            let pushes: Vec<Contribution> = ["a", "b", "c", "d", "e"]
                .into_iter()
                .zip(logits)
                .map(|(w, l)| push(w, l))
                .collect();
            let found = explanation(None, site, content, &pushes, &view(raw), 3);
            let words = found
                .content_words
                .iter()
                .map(|word| word.adds)
                .sum::<f64>()
                + found.content_others.adds;
            assert!(
                (words - found.content.adds).abs() < 1e-9,
                "{words} {}",
                found.content.adds
            );
            let sum = found.offset + found.content.adds + found.site.adds;
            assert!((sum - found.log_odds).abs() < 1e-9);
            let words = found.words.iter().map(|word| word.adds).sum::<f64>() + found.others.adds;
            assert!(
                (words - found.site.adds).abs() < 1e-9,
                "{words} {}",
                found.site.adds
            );
            if let Some(site) = site {
                assert!((found.log_odds - site.log_odds(content, &view(raw))).abs() < 1e-9);
                assert_eq!(found.words.len(), 3);
            }
            assert!(text(&found).ends_with('\n'));
        }
    }
}
