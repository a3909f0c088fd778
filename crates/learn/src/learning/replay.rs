//! From labels to what the site has learned.

use std::io;

use gatepost_store::{Entry, Position, Record, Snapshot, SnapshotSample, StoredLabel, read_log};

use super::label_index::LabelIndex;
use super::settings::LearningSettings;
use crate::classifier::{Checkpoint, PrequentialSample, Site, Slots};

/// Learns all active labels up to record `until` (to the last, where it is `None`), from the newest
/// snapshot that still holds.
pub(super) fn replay(
    settings: &LearningSettings,
    index: &LabelIndex,
    until: Option<u64>,
) -> io::Result<Site> {
    let (mut site, from) = start(settings, index, until)?;
    let until = until.unwrap_or(index.sequence);
    let mut learn = |record: Record| {
        let sequence = record.sequence;
        let is_due = sequence > from && sequence <= until;
        if !is_due || index.retracted.contains(&sequence) {
            return;
        }
        if let Entry::Label(stored) = record.entry {
            learn_label(&mut site, &stored);
        }
    };
    let schema = settings.schema();
    read_log(&settings.older_labels(), schema, None, &mut learn)?;
    read_log(&settings.labels(), schema, None, &mut learn)?;
    Ok(site)
}

/// The newest snapshot that a replay can start from, and its last record.
fn start(
    settings: &LearningSettings,
    index: &LabelIndex,
    until: Option<u64>,
) -> io::Result<(Site, u64)> {
    // A later snapshot holds where nothing was retracted since.
    let later = Snapshot::read(&settings.weights(), settings.schema())?.filter(|later| {
        until.is_none()
            && later.sequence >= index.last_retraction.max(index.base)
            && later.sequence <= index.sequence
    });
    if let Some(resumed) = resumed(settings, later) {
        return Ok(resumed);
    }
    let base = Snapshot::read(&settings.base(), settings.schema())?;
    let empty = || (Site::new(settings.learner.clone()), 0);
    Ok(resumed(settings, base).unwrap_or_else(empty))
}

/// Learns one label. One whose slots cannot be read, though its checksum is right, teaches nothing.
pub(super) fn learn_label(site: &mut Site, stored: &StoredLabel) {
    if let Some(numbers) = stored.slots.numbers() {
        let slots = Slots::from_numbers(numbers);
        site.learn(&slots, stored.label.class, stored.content);
    }
}

/// A site, and where in the log what it has learned ends.
#[derive(Debug)]
pub(super) struct Replayed {
    pub(super) site: Site,
    pub(super) position: Position,
    /// The number of the last record.
    pub(super) sequence: u64,
}

/// What the newest snapshot holds. Whether anything was retracted since is for the caller to find
/// out.
pub(super) fn latest(settings: &LearningSettings) -> io::Result<Option<Replayed>> {
    let Some(snapshot) = Snapshot::read(&settings.weights(), settings.schema())? else {
        return Ok(None);
    };
    let position = snapshot.position;
    let resumed = resumed(settings, Some(snapshot));
    Ok(resumed.map(|(site, sequence)| Replayed {
        site,
        position,
        sequence,
    }))
}

fn resumed(settings: &LearningSettings, snapshot: Option<Snapshot>) -> Option<(Site, u64)> {
    let snapshot = snapshot?;
    let sample = |stored: SnapshotSample| PrequentialSample {
        content: stored.content,
        site: stored.site,
        is_spam: stored.is_spam,
    };
    let samples = snapshot.samples.into_iter().map(sample).collect();
    let checkpoint = Checkpoint {
        weights: snapshot.weights,
        squares: snapshot.squares,
        ham: snapshot.ham,
        spam: snapshot.spam,
    };
    let site = Site::resume(settings.learner.clone(), checkpoint, samples)?;
    Some((site, snapshot.sequence))
}

/// What was learned up to record `sequence`, which ends at `position`, to be kept.
pub(super) fn snapshot(
    settings: &LearningSettings,
    site: &Site,
    sequence: u64,
    position: Position,
) -> Snapshot {
    let checkpoint = site.learner().checkpoint();
    let sample = |sample: &PrequentialSample| SnapshotSample {
        content: sample.content,
        site: sample.site,
        is_spam: sample.is_spam,
    };
    Snapshot {
        schema: settings.schema(),
        sequence,
        position,
        ham: checkpoint.ham,
        spam: checkpoint.spam,
        samples: site.samples().map(sample).collect(),
        weights: checkpoint.weights,
        squares: checkpoint.squares,
    }
}
