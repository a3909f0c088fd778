//! What the rule files want to be written to a message: `add_header`, `rewrite_header` and their like,
//! as templates. A message is never wrapped into a report: the templates of reports are not kept.
//!
//! The tags in a template (`_SCORE_` and so on) are filled in by [`super::report_tags`].

use std::collections::BTreeMap;

use super::definition::At;

/// Header fields for one kind of mail.
const FIELDS_LIMIT: usize = 64;
/// Where `_SUMMARY_` and `_REPORT_` are wrapped, if nothing else is said.
const WRAP_WIDTH: usize = 75;

/// A field of the message that can be marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rewrite {
    /// `Subject`: the mark comes first.
    Subject,
    /// `From`: the mark comes after, in parentheses.
    From,
    /// `To`: likewise.
    To,
}

impl Rewrite {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Subject, Self::From, Self::To];

    /// The name of the field.
    pub fn field(self) -> &'static str {
        match self {
            Self::Subject => "Subject",
            Self::From => "From",
            Self::To => "To",
        }
    }
}

/// The templates of a set.
#[derive(Clone, Debug)]
pub struct ReportTemplates {
    /// Name after `X-Spam-`, and text: for spam, and for all other mail.
    pub(crate) fields: [Vec<(String, String)>; 2],
    customised: bool,
    pub(crate) rewrites: BTreeMap<Rewrite, String>,
    pub(crate) contact: String,
    pub(crate) hostname: Option<String>,
    pub(crate) version_tags: Vec<String>,
    pub(crate) fold: bool,
    pub(crate) wrap_width: usize,
    /// By rule.
    pub(crate) subject_prefixes: BTreeMap<String, (String, At)>,
}

impl Default for ReportTemplates {
    /// What SpamAssassin adds when nothing is said, so that `remove_header` and the like mean the
    /// same.
    fn default() -> Self {
        let field = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let all = [
            field(
                "Status",
                "_YESNO_, score=_SCORE_ required=_REQD_ tests=_TESTS_ autolearn=_AUTOLEARN_ version=_VERSION_",
            ),
            field("Level", "_STARS(*)_"),
            field("Checker-Version", "_VERSION_ on _HOSTNAME_"),
        ];
        let spam = [field("Flag", "_YESNOCAPS_")]
            .into_iter()
            .chain(all.iter().cloned())
            .collect();
        Self {
            fields: [spam, all.to_vec()],
            customised: false,
            rewrites: BTreeMap::new(),
            contact: String::new(),
            hostname: None,
            version_tags: Vec::new(),
            fold: true,
            wrap_width: WRAP_WIDTH,
            subject_prefixes: BTreeMap::new(),
        }
    }
}

impl ReportTemplates {
    /// Whether the rule files say which fields a message gets. If not, the caller adds its own.
    pub fn is_customised(&self) -> bool {
        self.customised
    }

    /// Whether any field of the message itself is to be marked.
    pub fn rewrites_any(&self) -> bool {
        !self.rewrites.is_empty()
    }

    /// Takes a setting; `false` when it is none of these. An error says what is wrong with the
    /// value.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<bool, String> {
        match key {
            "add_header" => self.add_field(value)?,
            "remove_header" => self.remove_field(value)?,
            "clear_headers" => {
                self.fields = [Vec::new(), Vec::new()];
                self.customised = true;
            }
            "rewrite_header" => self.rewrite(value)?,
            "report_contact" => value.clone_into(&mut self.contact),
            "report_hostname" => {
                self.hostname = Some(value.to_owned()).filter(|name| !name.is_empty());
            }
            "version_tag" => self.version_tags.push(value.to_lowercase()),
            "fold_headers" => self.fold = value.trim() != "0",
            "report_wrap_width" => {
                let width = value
                    .trim()
                    .parse::<usize>()
                    .ok()
                    .filter(|width| (20..=998).contains(width));
                self.wrap_width = width.ok_or("a width is a number from 20 to 998")?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn add_field(&mut self, value: &str) -> Result<(), String> {
        let (kind, name, text) = field_words(value)?;
        if text.is_empty() {
            return Err("the text of the field is missing".to_owned());
        }
        self.customised = true;
        for at in kind {
            let Some(fields) = self.fields.get_mut(*at) else {
                continue;
            };
            fields.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            if fields.len() == FIELDS_LIMIT {
                return Err(format!("at most {FIELDS_LIMIT} fields can be added"));
            }
            fields.push((name.to_owned(), unescaped(text)));
        }
        Ok(())
    }

    fn remove_field(&mut self, value: &str) -> Result<(), String> {
        let (kind, name, _) = field_words(value)?;
        self.customised = true;
        for at in kind {
            if let Some(fields) = self.fields.get_mut(*at) {
                fields.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            }
        }
        Ok(())
    }

    fn rewrite(&mut self, value: &str) -> Result<(), String> {
        let (field, text) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
        let rewrite = Rewrite::ALL
            .into_iter()
            .find(|known| known.field().eq_ignore_ascii_case(field));
        let rewrite = rewrite
            .ok_or_else(|| format!("`{field}` cannot be rewritten: write subject, from or to"))?;
        let text = unquoted(text.trim());
        if text.is_empty() {
            self.rewrites.remove(&rewrite);
        } else if rewrite == Rewrite::Subject {
            self.rewrites.insert(rewrite, text.to_owned());
        } else {
            self.rewrites
                .insert(rewrite, text.replace('(', "[").replace(')', "]"));
        }
        Ok(())
    }
}

/// For which mail, which field, and what is left.
fn field_words(value: &str) -> Result<(&'static [usize], &str, &str), String> {
    let (kind, rest) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
    let kind: &[usize] = match kind.to_ascii_lowercase().as_str() {
        "spam" => &[0],
        "ham" => &[1],
        "all" => &[0, 1],
        _ => {
            return Err(format!(
                "invalid kind `{kind}`: expected one of spam, ham, all"
            ));
        }
    };
    let rest = rest.trim_start();
    let (name, text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.is_empty() || !name.bytes().all(fits) {
        return Err(format!(
            "`{name}` cannot stand behind X-Spam-: letters, digits, - and _ can"
        ));
    }
    Ok((kind, name, unquoted(text.trim())))
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(text)
}

/// `\n`, `\t` and `\\`; of others the backslash goes.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{FIELDS_LIMIT, ReportTemplates, Rewrite};

    fn names(templates: &ReportTemplates, kind: usize) -> Vec<&str> {
        templates.fields[kind]
            .iter()
            .map(|(name, _)| name.as_str())
            .collect()
    }

    #[test]
    fn fields_are_added_and_removed() {
        let mut templates = ReportTemplates::default();
        assert!(!templates.is_customised());
        assert_eq!(
            names(&templates, 0),
            ["Flag", "Status", "Level", "Checker-Version"]
        );
        templates.set("remove_header", "all level").unwrap();
        templates
            .set("add_header", r#"spam Tests "a\nb\\c\q _TESTS_""#)
            .unwrap();
        templates.set("add_header", "all status x").unwrap();
        assert_eq!(
            names(&templates, 0),
            ["Flag", "Checker-Version", "Tests", "status"]
        );
        assert_eq!(names(&templates, 1), ["Checker-Version", "status"]);
        assert_eq!(templates.fields[0][2].1, "a\nb\\cq _TESTS_");
        templates.set("clear_headers", "").unwrap();
        assert!(templates.is_customised() && names(&templates, 0).is_empty());
    }

    #[test]
    fn bad_values_are_reported() {
        let mut templates = ReportTemplates::default();
        for (key, value) in [
            ("add_header", "spma Flag x"),
            ("add_header", "spam Fl:ag x"),
            ("add_header", "spam Flag"),
            ("remove_header", "all"),
            ("rewrite_header", "cc x"),
            ("report_wrap_width", "19"),
            ("report_wrap_width", "999"),
        ] {
            assert!(templates.set(key, value).is_err(), "{key} {value}");
        }
        for idle in [
            "no_such",
            "report",
            "unsafe_report",
            "clear_report_template",
        ] {
            assert_eq!(templates.set(idle, ""), Ok(false), "{idle}");
        }
        assert_eq!(templates.set("report_wrap_width", "20"), Ok(true));
    }

    #[test]
    fn sizes_are_limited() {
        let mut templates = ReportTemplates::default();
        templates.set("clear_headers", "").unwrap();
        for number in 0..FIELDS_LIMIT {
            assert!(
                templates
                    .set("add_header", &format!("all F{number} x"))
                    .is_ok()
            );
        }
        assert!(templates.set("add_header", "all More x").is_err());
        assert!(
            templates.set("add_header", "all F1 y").is_ok(),
            "the same again takes no more room"
        );
    }

    #[test]
    fn marks_are_kept_and_taken_back() {
        let mut templates = ReportTemplates::default();
        templates
            .set("rewrite_header", "SUBJECT  [SPAM (_SCORE_)]")
            .unwrap();
        templates.set("rewrite_header", "from SPAM (x)").unwrap();
        assert_eq!(templates.rewrites[&Rewrite::Subject], "[SPAM (_SCORE_)]");
        assert_eq!(templates.rewrites[&Rewrite::From], "SPAM [x]");
        templates.set("rewrite_header", "from").unwrap();
        assert_eq!(templates.rewrites.len(), 1);
    }
}
