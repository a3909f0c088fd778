//! The messages of all corpora as the network learns them: each campaign a few times, each corpus
//! with its share, the later part of each held out, and copies as attackers would change them.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::attack::{Attack, Good, GoodWords, pseudo_language};
use super::corpus::Corpus;
use super::corpus::Sample;
use super::error::TrainError;
use super::fit::{Example, Part};
use super::message_features::{features_of, sketch};
use super::near_duplicates::{NearDuplicates, Sketch};
use super::random::Random;
use super::reformat;
use super::settings::{Progress, TrainSettings};
use gatepost_learn::features::FeatureVector;
use gatepost_words::Class;
use gatepost_words::hex;

/// Messages of one campaign that are learned.
const NEAR_DUPLICATES_MAX: usize = 3;
/// How often the attacks that hide most are learned, in addition to once as all others.
const HARDEST_TIMES: usize = 6;
/// How often progress is reported, in messages.
const PROGRESS_EVERY: usize = 64;

/// What was read of one message.
struct Message {
    when: String,
    path: String,
    sha256: String,
    raw: Vec<u8>,
    is_spam: bool,
    /// The same for messages with the same body.
    group: u64,
    vector: FeatureVector,
    sketch: Sketch,
}

/// The messages of all corpora as they are read.
pub(super) struct Data<'a> {
    settings: &'a TrainSettings,
    examples: Vec<Example>,
    sample: FeatureVector,
    digest: Sha256,
    /// All mail that was taken, and the part of it that is not held out.
    seen: NearDuplicates,
    learned: NearDuplicates,
    /// Messages that will be attacked, with the places of their examples.
    attacked: Vec<(Vec<u8>, usize)>,
    /// Copies in another form, with the places of their originals.
    forms: Vec<(FeatureVector, usize)>,
    good: Good,
    random: Random,
    /// Corpora read so far.
    corpora: usize,
}

impl<'a> Data<'a> {
    pub(super) fn new(settings: &'a TrainSettings) -> Self {
        Self {
            settings,
            examples: Vec::new(),
            sample: FeatureVector::default(),
            digest: Sha256::new(),
            seen: NearDuplicates::default(),
            learned: NearDuplicates::default(),
            attacked: Vec::new(),
            forms: Vec::new(),
            good: Good::default(),
            // Apart from the sequence that fitting uses.
            random: Random::new(settings.seed ^ 0x5eed),
            corpora: 0,
        }
    }

    /// How many messages there are of a class.
    pub(super) fn count(&self, is_spam: bool) -> usize {
        self.examples
            .iter()
            .filter(|example| example.is_spam == is_spam)
            .count()
    }

    /// Reads one corpus.
    pub(super) fn read(
        &mut self,
        corpus: &Corpus,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), TrainError> {
        let mut messages = Vec::new();
        corpus.read(progress, |sample| messages.push(Message::of(sample)))?;
        messages.sort_by(|a, b| (&a.when, &a.path).cmp(&(&b.when, &b.path)));
        messages.retain(|message| {
            let is_new = self.seen.count(&message.sketch) < NEAR_DUPLICATES_MAX;
            if is_new {
                self.seen.add(&message.sketch);
            }
            is_new
        });
        let is_held_out = self.held_out(corpus.is_cut_by_time()?, &messages);
        let mut messages: Vec<(bool, Message)> = is_held_out.into_iter().zip(messages).collect();
        // A stable sort: the earlier part first, so that near copies of it are known.
        messages.sort_by_key(|(is_held_out, _)| *is_held_out);
        let mut words = GoodWords::default();
        for (is_held_out, message) in messages {
            words.add_mail(&message.raw, message.is_spam);
            self.take(message, !is_held_out);
        }
        self.good.add_best(words.best());
        self.corpora += 1;
        Ok(())
    }

    /// Which messages, in order of time, are held out: cut in the way in which the corpus itself is
    /// cut, the latest of each label, or by a hash of the body where the list names its parts.
    fn held_out(&self, is_cut_by_time: bool, messages: &[Message]) -> Vec<bool> {
        let percent = self.settings.held_out_percent.min(100);
        let count = |is_spam: bool| {
            messages
                .iter()
                .filter(|message| message.is_spam == is_spam)
                .count() as u64
        };
        let mut left = [false, true].map(|is_spam| count(is_spam) * (100 - percent) / 100);
        let by_time = |message: &Message| {
            let Some(left) = left.get_mut(usize::from(message.is_spam)) else {
                return false;
            };
            let is_held_out = *left == 0;
            *left = left.saturating_sub(1);
            is_held_out
        };
        if is_cut_by_time {
            messages.iter().map(by_time).collect()
        } else {
            messages
                .iter()
                .map(|message| message.group % 100 < percent)
                .collect()
        }
    }

    fn take(&mut self, message: Message, is_earlier: bool) {
        let Message {
            path,
            sha256,
            raw,
            is_spam,
            vector,
            sketch,
            ..
        } = message;
        self.digest.update(format!("{path}\t{is_spam}\t{sha256}\n"));
        let part = if is_earlier {
            self.learned.add(&sketch);
            Part::Earlier
        } else if self.learned.count(&sketch) > 0 {
            Part::Between
        } else {
            Part::HeldOut
        };
        if !is_spam {
            self.good.add_mail(&raw);
        }
        if (self.random.below(100) as u64) < self.settings.other_form_percent
            && let Some(copy) = reformat::reformat(&raw, &mut self.random)
        {
            self.forms.push((features_of(&copy).0, self.examples.len()));
        }
        if (self.random.below(100) as u64) < self.settings.no_language_percent {
            let page = if self.random.unit() < 0.5 {
                reformat::reformat(&raw, &mut self.random)
            } else {
                None
            };
            if let Some(copy) = pseudo_language(page.as_deref().unwrap_or(&raw), &mut self.random) {
                self.forms.push((features_of(&copy).0, self.examples.len()));
            }
        }
        let percent = if is_spam {
            self.settings.attacked_percent
        } else {
            self.settings.attacked_percent / 3
        };
        if (self.random.below(100) as u64) < percent {
            self.attacked.push((raw, self.examples.len()));
        }
        self.examples.push(Example {
            source: self.corpora,
            ..Example::of(&vector, is_spam, part)
        });
        if self.examples.len() == 1 {
            self.sample = vector;
        }
    }

    /// Weighs the messages, adds attacked copies, and gives everything away: examples, one sample,
    /// digest.
    pub(super) fn finish(
        mut self,
        progress: &mut dyn FnMut(Progress),
    ) -> (Vec<Example>, FeatureVector, String) {
        self.weigh();
        for (vector, at) in std::mem::take(&mut self.forms) {
            self.copy(&vector, at);
        }
        let hardest = std::iter::repeat_n(Attack::HARDEST, HARDEST_TIMES).flatten();
        // Copies with the header of a ham taught nothing: of those fields the network knows at most
        // whether they are there.
        let on_text = Attack::ALL
            .into_iter()
            .filter(|attack| *attack != Attack::HamHeader);
        let of_spam: Vec<Attack> = on_text.chain(hardest).collect();
        let of_ham: Vec<Attack> = Attack::ALL
            .into_iter()
            .filter(|attack| attack.happens_to_ham())
            .collect();
        let total = self.attacked.len();
        for (done, (raw, at)) in (1..).zip(std::mem::take(&mut self.attacked)) {
            let is_spam = self
                .examples
                .get(at)
                .is_some_and(|original| original.is_spam);
            let attacks = if is_spam {
                of_spam.as_slice()
            } else {
                of_ham.as_slice()
            };
            let attack = attacks.get(self.random.below(attacks.len()));
            if let Some(changed) =
                attack.and_then(|attack| attack.apply(&raw, &self.good, &mut self.random))
            {
                self.copy(&features_of(&changed).0, at);
            }
            if done % PROGRESS_EVERY == 0 || done == total {
                progress(Progress::Attacking { done, total });
            }
        }
        (
            self.examples,
            self.sample,
            hex::encode(&self.digest.finalize()),
        )
    }

    /// Adds a changed copy of an example.
    fn copy(&mut self, vector: &FeatureVector, at: usize) {
        if let Some(&Example {
            is_spam,
            weight,
            part,
            source,
            ..
        }) = self.examples.get(at)
        {
            let copy = Example::of(vector, is_spam, part);
            self.examples.push(Example {
                is_copy: true,
                weight,
                source,
                ..copy
            });
        }
    }

    /// Gives the ham and the spam of one corpus the same weight together, so that the prior of a
    /// corpus teaches nothing, large corpora the square root of their size, and some of them
    /// less.
    #[expect(
        clippy::cast_precision_loss,
        reason = "message counts are far below 2^24"
    )]
    fn weigh(&mut self) {
        let mut counts: BTreeMap<usize, [usize; 2]> = BTreeMap::new();
        for example in &self.examples {
            if let Some(count) = counts
                .entry(example.source)
                .or_default()
                .get_mut(usize::from(example.is_spam))
            {
                *count += 1;
            }
        }
        for example in &mut self.examples {
            let &[ham, spam] = counts.get(&example.source).unwrap_or(&[0, 0]);
            let own = if example.is_spam { spam } else { ham };
            let other = if example.is_spam { ham } else { spam };
            let share = if other == 0 { own } else { own.min(other) } as f32;
            let of_corpus = self
                .settings
                .corpora
                .get(example.source)
                .map_or(1.0, |corpus| super::settings::share(&corpus.name));
            example.weight = of_corpus * (30.0 * share.sqrt() / own.max(1) as f32).clamp(0.1, 2.0);
        }
    }
}

impl Message {
    /// The lists give no label to reports of mail servers: not spam.
    fn of(sample: Sample) -> Self {
        let (vector, group) = features_of(&sample.raw);
        let sketch = sketch(&vector, group);
        Self {
            when: sample.when,
            path: sample.path,
            sha256: sample.sha256,
            raw: sample.raw,
            is_spam: sample.class.is_some_and(Class::is_spam),
            group,
            vector,
            sketch,
        }
    }
}
