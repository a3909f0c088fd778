//! Writing rules.
//!
//! Rules are written in SpamAssassin's `.cf` language. The shipped ones stand in `rules/`; yours go
//! to `/etc/gatepost/rules/*.cf` and are read after them, so a `score` line of yours wins.
//!
//! ```text
//! header    LOCAL_INVOICE_LURE  Subject =~ /\binvoice (?:no|number)\.? ?\d{4,}/i
//! describe  LOCAL_INVOICE_LURE  Subject names an invoice number
//! score     LOCAL_INVOICE_LURE  1.5
//! test      LOCAL_INVOICE_LURE  ok    Your invoice no. 4711
//! test      LOCAL_INVOICE_LURE  fail  Invoices of last month
//! ```
//!
//! # Rules
//!
//! * `header NAME Field =~ /re/`, `body`, `rawbody`, `uri`, `full` look at one view of the mail
//!   each; `mimeheader` at the header fields of each MIME entity (`tflags NAME range=2-` for some
//!   of them, `concat` for all as one text); `uri_detail NAME text =~ /re/ host !~ /re/` puts
//!   conditions on one URL (raw, type, cleaned, text, domain, host); `meta NAME A && !B` puts rules
//!   together. Names that begin with `__` count nothing by themselves.
//! * `body` is tried on one paragraph at a time: a line end never stands in the middle.
//! * Regexes work on bytes, `\w \d \s \b` are ASCII, as in SpamAssassin.
//! * A rule without `score` counts 1.0 (`T_…`: 0.01). A score of 0 switches it off. Four scores are
//!   for four score sets (local, network, Bayes, both); the first counts, unless a line `score_set
//!   N` (0 to 3) says otherwise. `score NAME (0.5)` adds to what was said before. Mail is marked
//!   from 5.0, held from 8.0, refused from 15.0 (`[policy]`).
//! * `tflags NAME multiple maxhits=5` counts every match, `nosubject` skips the subject in `body`,
//!   `nice` turns the default score around, `shadow` (ours) counts hits and never scores.
//!
//! # Captures and templates
//!
//! `header __TO To:addr =~ /(?<TO_ADDR>.*)/` captures, and `uri LOCAL_TO_IN_URL /=%{TO_ADDR}/i`
//! looks for what was captured, quoted; nothing captured is no hit. 16 values of at most 256 bytes
//! each are kept of a mail. Next to `loadplugin` lines such rules are off unless `capture_templates
//! 1` is said: code R0221 (`gatepost explain R0221`) tells why.
//!
//! # Order
//!
//! `shortcircuit NAME spam|ham|on|off` ends the scan at a hit of NAME: hits of rules with a later
//! `priority` do not count, and `SHORTCIRCUIT` is reported next to it with `shortcircuit_spam_score`
//! (100) or `shortcircuit_ham_score` (-100). Lower priorities come first; 0 is usual, -200 for such
//! a rule.
//!
//! # Files
//!
//! * `if (version >= 4.000000)`, `ifplugin NAME`, `if can(…)`, `else`, `endif` choose as
//!   SpamAssassin 4.0.1 would.
//! * `include PATH` reads another file in place, relative to the including one, 8 deep. A file that
//!   is included is not read again for itself.
//! * `lang xx LINE` counts where the language is English (`lang en`): descriptions and reports are
//!   printed in English, whatever the locale of the machine, so that the same rules give the same
//!   verdict everywhere.
//! * Every setting of SpamAssassin is accepted. What is not implemented, or is decided in
//!   gatepost.toml, is reported once; `gatepost rules list --unsupported` counts the rules that can
//!   never hit for it. A word that is no setting is an error.
//!
//! # What is written to the mail
//!
//! `add_header spam|ham|all NAME text`, `remove_header`, `clear_headers`, `rewrite_header
//! subject|from|to text`, `subjprefix RULE text`, with tags such as `_SCORE_ _REQD_ _TESTS(,)_
//! _TESTSSCORES(,)_ _YESNO(a,b)_ _STARS(*)_ _SUMMARY_ _REPORT_ _HEADER(Name)_ _VERSION_ _HOSTNAME_
//! _RELAYSEXTERNAL_ _SUBTESTS_`. What comes from the mail is shown as printable ASCII on one line.
//! A mail is never wrapped into a report: `report text` and its like are read and mean nothing.
//!
//! # Facts from the DNS
//!
//! With `[dns] client_names = true` Gatepost asks the site's resolver for the names of the client
//! and whether a name has the client's address (RFC 8601 §2.7.3, `iprev`):
//!
//! * `header X eval:check_client_has_no_name()` hits when the address has no name;
//! * `header X eval:check_client_name_confirmed()` when one of its names has the address;
//! * `header X eval:check_client_name_unconfirmed()` when it has names and none has the address.
//!
//! None of them hits when the answer is not known: switched off, timed out, failed, or too many
//! questions waiting. So not hitting says nothing: write a rule for what is wrong, not `!CONFIRMED`.
//!
//! # Tests
//!
//! * `gatepost rules check` compiles all, tells every problem with line and column, doubts about
//!   rules that never or always hit, find what others find or are slow, and runs the `test` lines;
//!   `gatepost rules test` runs the tests alone; `gatepost explain NAME` shows one rule; `gatepost
//!   scan FILE` tells which hit.
//! * `gatepost rules hits CORPUS…` counts how often each rule hits spam and ham. Read the interval,
//!   not the percentage: no hit in 300 ham means at most 1.3 %. `--overlap` shows rules that hit
//!   the same messages.
//! * `gatepost rules diff OLD NEW MAIL…` tells what another set would change, with messages that show
//!   it (status 1 if anything); with `--rules configured` OLD and NEW come on top of what the
//!   daemon loads.
//! * `gatepost rules test --messages DIR --write` writes down what hits each mail today; without
//!   `--write` it tells what differs.
//! * `gatepost rules bench MAIL…` tells what each rule costs, worst first.
//! * The text of a `test` line is the field's value for `header` rules, the text for the others.
//! * For a meta, a rule with `eval:` or a template, and `uri_detail`, it is a small mail: what
//!   comes before the first empty line is the header; without one it is the body of a plain mail.
//!   In it `\n` is a line end, `\r` a bare CR, `\0` a NUL byte, `\xHH` the byte of that number and
//!   `\\` a backslash: `test HEADER_NUL_BYTE ok Subject: a\0b\n\nhello`.
//!
//! Network tests and the eval functions that Gatepost does not have yet are named in a warning when
//! a file uses them: the rule is left out, the others load.
