//! From labels to what the site has taught.

use std::io;

use super::LearningSettings;
use super::survey::Survey;
use crate::classifier::{Knowledge, Site, Slots, Trial};
use gatepost_store::{Entry, Label, Position, Record, Snapshot, SnapshotTrial, read_log};

/// Learns all labels in force up to record `until` (to the last, where it is `None`), from the
/// newest snapshot that still holds.
pub(super) fn fold(
    settings: &LearningSettings,
    survey: &Survey,
    until: Option<u64>,
) -> io::Result<Site> {
    // A later snapshot holds where nothing was taken back since.
    let holds = |later: &Snapshot| {
        later.sequence >= survey.taken_back.max(survey.base)
            && later.sequence <= survey.sequence
            && until.is_none()
    };
    let later = Snapshot::read(&settings.weights(), settings.schema())?.filter(holds);
    let (mut site, from) = match resumed(settings, later) {
        Some(resumed) => resumed,
        None => resumed(
            settings,
            Snapshot::read(&settings.base(), settings.schema())?,
        )
        .unwrap_or_else(|| (Site::new(settings.learner.clone()), 0)),
    };
    let until = until.unwrap_or(survey.sequence);
    let mut learn = |record: Record| {
        let Record {
            sequence, entry, ..
        } = record;
        if let Entry::Label(label) = entry
            && sequence > from
            && sequence <= until
            && !survey.dead.contains(&sequence)
        {
            learn_label(&mut site, &label);
        }
    };
    read_log(
        &settings.older_labels(),
        settings.schema(),
        None,
        &mut learn,
    )?;
    read_log(&settings.labels(), settings.schema(), None, &mut learn)?;
    Ok(site)
}

/// Learns one label. One whose slots cannot be read, though its checksum is right, teaches nothing.
pub(super) fn learn_label(site: &mut Site, label: &Label) {
    if let Some(numbers) = label.slots.numbers() {
        site.learn(&Slots::from_numbers(numbers), label.spam, label.content);
    }
}

/// What the newest snapshot holds, and where in the log it ends. Whether anything was taken back
/// since is for the caller to find out.
pub(super) fn latest(settings: &LearningSettings) -> io::Result<Option<(Site, Position, u64)>> {
    let Some(snapshot) = Snapshot::read(&settings.weights(), settings.schema())? else {
        return Ok(None);
    };
    let position = snapshot.position;
    Ok(resumed(settings, Some(snapshot)).map(|(site, sequence)| (site, position, sequence)))
}

fn resumed(settings: &LearningSettings, snapshot: Option<Snapshot>) -> Option<(Site, u64)> {
    let Snapshot {
        sequence,
        ham,
        spam,
        trials,
        weights,
        squares,
        ..
    } = snapshot?;
    let trials = trials.into_iter().map(
        |SnapshotTrial {
             content,
             site,
             spam,
         }| Trial {
            content,
            site,
            spam,
        },
    );
    let knowledge = Knowledge {
        weights,
        squares,
        ham,
        spam,
    };
    Site::resume(settings.learner.clone(), knowledge, trials.collect()).map(|site| (site, sequence))
}

/// What was learned up to record `sequence`, which ends at `position`, to be kept.
pub(super) fn snapshot(
    settings: &LearningSettings,
    site: &Site,
    sequence: u64,
    position: Position,
) -> Snapshot {
    let Knowledge {
        weights,
        squares,
        ham,
        spam,
    } = site.learner().knowledge();
    let trial = |&Trial {
                     content,
                     site,
                     spam,
                 }: &Trial| SnapshotTrial {
        content,
        site,
        spam,
    };
    Snapshot {
        schema: settings.schema(),
        sequence,
        position,
        ham,
        spam,
        trials: site.trials().map(trial).collect(),
        weights,
        squares,
    }
}
