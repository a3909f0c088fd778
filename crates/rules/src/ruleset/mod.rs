//! Rules in memory: what a rule is, the set of them, and what is worked out once for a set (the
//! order of metas, the filters of each view, templates, short circuits).

pub(crate) mod definition;
pub(crate) mod expression;
pub(crate) mod extras;
pub(crate) mod ignored_setting;
pub(crate) mod interval;
pub(crate) mod kind;
pub(crate) mod metas;
pub(crate) mod prefilter;
pub(crate) mod report_templates;
pub(crate) mod rule;
#[expect(clippy::module_inception, reason = "a file is named after its type")]
pub(crate) mod ruleset;
pub(crate) mod scan;
pub(crate) mod shortcircuit;
pub(crate) mod template;
pub(crate) mod templates;
pub(crate) mod uri_detail;
