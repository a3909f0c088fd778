//! Writing rules.
//!
//! Rules are written in SpamAssassin's `.cf` language. The shipped ones stand in `rules/`; yours go to `/etc/gatepost/rules/*.cf`
//! and are read after them, so a `score` line of yours wins.
//!
//! ```text
//! header    LOCAL_INVOICE_LURE  Subject =~ /\binvoice (?:no|number)\.? ?\d{4,}/i
//! describe  LOCAL_INVOICE_LURE  Subject names an invoice number
//! score     LOCAL_INVOICE_LURE  1.5
//! test      LOCAL_INVOICE_LURE  ok    Your invoice no. 4711
//! test      LOCAL_INVOICE_LURE  fail  Invoices of last month
//! ```
//!
//! * `header NAME Field =~ /re/`, `body`, `rawbody`, `uri`, `full` look at one view of the mail each; `meta NAME A && !B` puts
//!   others together; names that begin with `__` count nothing by themselves.
//! * A rule without `score` counts 1.0 (`T_…`: 0.01). A score of 0 switches it off. Mail is marked from 5.0, held from 8.0,
//!   refused from 15.0 (`[policy]`).
//! * The text of a `test` line is the field's value for `header` rules, the text for the others. For a meta, or a rule with
//!   `eval:`, it is a small mail: `\n` is a line end, and what comes before the first empty line is the header; without one it is the body
//!   of a plain mail.
//! * Regexes work on bytes, `\w \d \s \b` are ASCII, as in SpamAssassin.
//! * `gatepost rules check` compiles all, tells every problem with line and column, and runs the `test` lines;
//!   `gatepost rules test` runs the tests alone; `gatepost explain NAME` shows one rule; `gatepost scan FILE` tells which hit.
//!
//! Look-around, back-references and the eval functions of SpamAssassin that Gatepost does not have yet are named in a warning
//! when a file uses them: the rule is left out, the others load.
