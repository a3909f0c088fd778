//! The copies of a filter's marks that a message brought along.

use gatepost_mail::{FILTER_MARKS_MAX, FilterMark};
use gatepost_milter::Action;

/// Forged marks by name, a bounded number of names; those that mail programs sort by have room of
/// their own.
#[derive(Debug, Default)]
pub(super) struct ForgedMarks {
    read_by_programs: Vec<(String, usize)>,
    others: Vec<(String, usize)>,
}

impl ForgedMarks {
    /// Counts a field where its name is a mark's.
    pub(super) fn note(&mut self, name: &[u8]) {
        let names = match FilterMark::of(name) {
            None => return,
            Some(FilterMark::ReadByPrograms) => &mut self.read_by_programs,
            Some(FilterMark::Other) => &mut self.others,
        };
        let known = |(known, _): &&mut (String, usize)| known.as_bytes().eq_ignore_ascii_case(name);
        if let Some((_, count)) = names.iter_mut().find(known) {
            *count = count.saturating_add(1);
        } else if names.len() < FILTER_MARKS_MAX {
            names.push((String::from_utf8_lossy(name).into_owned(), 1));
        }
    }

    /// The removals, at most [`FILTER_MARKS_MAX`]: what mail programs sort by first, and of each name
    /// the last occurrence first: removing the first would renumber the others (CVE-2022-48521 of
    /// OpenDKIM).
    pub(super) fn removals(&self) -> Vec<Action> {
        let mut left = FILTER_MARKS_MAX;
        let mut removals = Vec::new();
        for (name, count) in self.read_by_programs.iter().chain(&self.others) {
            let taken = left.min(*count);
            left -= taken;
            removals.extend((1..=taken).rev().map(|index| Action::ChangeHeader {
                index: u32::try_from(index).unwrap_or(u32::MAX),
                name: name.clone(),
                value: String::new(),
            }));
        }
        removals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removals(names: &[&str]) -> Vec<(String, u32)> {
        let mut marks = ForgedMarks::default();
        for name in names {
            marks.note(name.as_bytes());
        }
        let change = |action| match action {
            Action::ChangeHeader { name, index, .. } => (name, index),
            other => panic!("{other:?}"),
        };
        marks.removals().into_iter().map(change).collect()
    }

    #[test]
    fn what_programs_sort_by_is_taken_out_first_and_last_to_first() {
        let found = removals(&[
            "X-Spam-A",
            "Subject",
            "X-Spam-Flag",
            "x-spam-flag",
            "X-Gatepost",
        ]);
        let wanted = [
            ("X-Spam-Flag", 2),
            ("X-Spam-Flag", 1),
            ("X-Gatepost", 1),
            ("X-Spam-A", 1),
        ];
        assert_eq!(found, wanted.map(|(name, index)| (name.to_owned(), index)));
    }

    #[test]
    fn the_mta_is_asked_for_a_bounded_number_of_removals() {
        let many: Vec<String> = (0..2_000)
            .map(|number| format!("X-Spam-{number}"))
            .collect();
        let mut names: Vec<&str> = many.iter().map(String::as_str).collect();
        names.extend(["X-Spam-Flag"; 40]);
        let found = removals(&names);
        assert_eq!(found.len(), FILTER_MARKS_MAX);
        let flags = found.iter().filter(|(name, _)| name == "X-Spam-Flag");
        assert_eq!(flags.count(), 40, "also behind thousands of others");
        assert_eq!(
            removals(&vec!["X-Spam-Flag"; 7_000]).len(),
            FILTER_MARKS_MAX
        );
    }
}
