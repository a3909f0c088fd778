//! The settings of training, and what it reports on the way.

use super::corpus::Corpus;
use gatepost_learn::classifier::Precision;

/// The corpora whose training parts the shipped model was trained on, in order. `phishing-older` is
/// for evaluation only.
pub const SHIPPED: [&str; 6] = [
    "spamassassin",
    "csdmc2010",
    "newsletters",
    "bounces",
    "lists",
    "trec07p-first-half",
];

/// How much a corpus counts compared with the others, where less than its size would give it: nearly all
/// ham of these two is mail of mailing lists and of one server, and with their full share the model
/// took short everyday mail for spam. Left out altogether, as in the model before this one, it knew
/// less of mail from elsewhere: with SpamAssassin left out as well, 1-ROCA there was 5.2 %; it is
/// 1.4 % with them (2026-11-28, `models/README.md`).
const SHARES: [(&str, f32); 2] = [("lists", 0.3), ("trec07p-first-half", 0.3)];

/// How much a corpus of that name counts: 1 for most.
pub(super) fn share(corpus: &str) -> f32 {
    SHARES
        .iter()
        .find(|(name, _)| *name == corpus)
        .map_or(1.0, |(_, share)| *share)
}

/// What to train on and how. [`TrainSettings::default`] is what the shipped model was trained with.
#[derive(Clone, Debug)]
pub struct TrainSettings {
    /// Corpora, read in this order. Of messages with the same body only the first counts.
    pub corpora: Vec<Corpus>,
    /// Most passes over the data; the best of them by the held-out part is taken.
    pub epochs: usize,
    /// Seed of the random numbers.
    pub seed: u64,
    /// Percent of the messages of each corpus and label that are held out for early stopping and
    /// calibration: the latest, or where the list of a corpus names its parts, by hash.
    pub held_out_percent: u64,
    /// Tokens in fewer training messages than this are not learned: nothing of a single mail stays
    /// in the model.
    pub least_messages: u32,
    /// Percent of the steps in which windows of a ham are put around the text, against padding
    /// with good text.
    pub padding_percent: u64,
    /// Percent of the spam that is learned a second time as an attacker would change it; of ham, a
    /// third of that.
    pub attacked_percent: u64,
    /// Percent of the messages that are learned a second time in the other form: plain text as a
    /// page, a page as plain text.
    pub other_form_percent: u64,
    /// Percent of the messages that are learned a second time in a pseudo-language.
    pub no_language_percent: u64,
    /// How fast and how carefully it learns.
    pub rates: Rates,
    /// How the rows are stored.
    pub precision: Precision,
    /// Written into the manifest: the command that a person would type.
    pub command: String,
    /// Written into the manifest: the day, as `YYYY-MM-DD`.
    pub date: String,
}

impl Default for TrainSettings {
    fn default() -> Self {
        Self {
            corpora: Vec::new(),
            epochs: 6,
            seed: 1,
            held_out_percent: 15,
            least_messages: 2,
            padding_percent: 20,
            attacked_percent: 100,
            other_form_percent: 15,
            no_language_percent: 10,
            rates: Rates::default(),
            precision: Precision::Int8,
            command: String::new(),
            date: String::new(),
        }
    }
}

/// How fast and how carefully the network learns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Adagrad's rate for the rows of the embedding.
    pub rows: f32,
    /// Adagrad's rate for the layers.
    pub layers: f32,
    /// Share of the hidden units that are off in a step.
    pub dropout: f32,
    /// Share of the steps in which all structure features are off, so that the text must do.
    pub dense_dropout: f32,
    /// Share of the steps in which the tokens of shape are off.
    pub shape_dropout: f32,
    /// Share of the steps in which the bag of the whole text is off, so that its windows must do:
    /// what is put around a text thins the bag, not the windows.
    pub text_dropout: f32,
    /// Share of the tokens that are left out in a step.
    pub token_dropout: f32,
    /// Sum of squares with which the rows begin: the larger, the less do tokens count that are
    /// seen seldom.
    pub accumulator_init: f32,
    /// Decay of the layers' weights.
    pub decay: f32,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            rows: 0.03,
            layers: 0.01,
            dropout: 0.3,
            dense_dropout: 0.5,
            shape_dropout: 0.3,
            text_dropout: 0.95,
            token_dropout: 0.3,
            accumulator_init: 1e-5,
            decay: 1e-4,
        }
    }
}

/// How far the work is. Given to the caller's closure; ignoring it is fine.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// Messages of a corpus read, out of those that its list selects.
    Reading {
        /// Name of the corpus.
        corpus: String,
        /// Read so far.
        done: usize,
        /// To read.
        total: usize,
    },
    /// A file of a directory that is not a message, or cannot be read.
    Skipped {
        /// Where it is.
        name: String,
        /// What it is, or why it cannot be read.
        why: String,
        /// Whether it is wrong input; else it was passed over on purpose.
        is_wrong: bool,
    },
    /// Messages learned in one pass.
    Learning {
        /// Which pass, from 1; passes of the final fit on all data continue the count.
        epoch: usize,
        /// Learned so far in it.
        done: usize,
        /// To learn in it.
        total: usize,
    },
    /// One pass is over.
    Epoch {
        /// Which, from 1.
        epoch: usize,
        /// Mean loss on the held-out part (natural log).
        held_out_loss: f64,
        /// 100 * (1 - AUC) there.
        one_minus_roca_percent: f64,
    },
    /// Messages copied as attackers would change them.
    Attacking {
        /// Copied so far.
        done: usize,
        /// To copy.
        total: usize,
    },
    /// The file is being written and checked.
    Writing,
}
