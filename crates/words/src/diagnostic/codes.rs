//! Every kind of diagnostic: code, title, explanation. One table projects to the messages and to
//! `gatepost explain`.

/// One kind of diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Such as `R0102`: R for rules, C for configuration, M for models, L for what the site
    /// taught.
    pub code: &'static str,
    /// What it is, in one line.
    pub title: &'static str,
    /// What it means and what to do, in a paragraph.
    pub explanation: &'static str,
}

/// Looks a code up, in any case.
pub fn explain_code(code: &str) -> Option<&'static Code> {
    CODES
        .iter()
        .find(|entry| entry.code.eq_ignore_ascii_case(code))
}

const fn code(code: &'static str, title: &'static str, explanation: &'static str) -> Code {
    Code {
        code,
        title,
        explanation,
    }
}

/// All codes, in order.
pub const CODES: &[Code] = &[
    // Configuration.
    code(
        "C0101",
        "a configuration file cannot be read",
        "The file is missing, or may not be read by the user under whom Gatepost runs. Check the path and its permissions. Without any file the built-in defaults are used.",
    ),
    code(
        "C0102",
        "a configuration file is not valid TOML",
        "The caret marks where reading had to stop. Common slips: text without quotes, a table header without its brackets, a key given twice.",
    ),
    code(
        "C0103",
        "an unknown configuration key",
        "There is no such key in this table. A misspelt key would silently leave a default in effect, so it is an error. `gatepost config show` prints every key with its value.",
    ),
    code(
        "C0104",
        "a configuration value of the wrong type",
        "The key wants another kind of value, such as a number where text was given. Sizes are written \"50MiB\", durations \"20s\".",
    ),
    code(
        "C0105",
        "a configuration value out of range",
        "The value is of the right kind but not one that can work. The message says which values can.",
    ),
    code(
        "C0106",
        "configuration values that contradict each other",
        "Each value is fine alone, but not together, such as a quarantine score above the reject score.",
    ),
    code(
        "C0107",
        "an environment variable that sets no key",
        "Variables of the form GATEPOST__SECTION__KEY set configuration keys. This one names none that exists.",
    ),
    code(
        "C0108",
        "a socket address that cannot be understood",
        "Sockets are written `unix:/path/to/socket` or `inet:PORT@HOST`, as Sendmail and Postfix write them.",
    ),
    code(
        "C0109",
        "a name that is used twice",
        "Listeners and profiles are identified by their names; each needs one of its own.",
    ),
    code(
        "C0110",
        "a file that the configuration names cannot be used",
        "The configuration points to a file or directory that does not exist or cannot be read.",
    ),
    code(
        "C0111",
        "a configuration key that is missing",
        "A table lacks a key that has no default, such as the socket of a listener.",
    ),
    code(
        "C0112",
        "a configuration key under its old name",
        "The key has another name now. The old name is accepted with a warning for one release; with both names set it is not clear which value is meant.",
    ),
    code(
        "C0113",
        "a socket that cannot be opened",
        "`gatepost run` would end here: the directory of the socket is missing or closed to the daemon's user, its group is unknown, or the address is not one of this machine. `gatepost check --as USER` looks with the rights of another user; without `--as` it takes the user of gatepost.service, where there is one.",
    ),
    code(
        "C0114",
        "a file that the daemon cannot write",
        "The daemon runs without it and reports the failure: verdicts are not recorded, so that `gatepost explain ID` and `gatepost records` find nothing. The message names the first directory or file on the way that is missing or closed to the daemon's user.",
    ),
    code(
        "C0115",
        "a user that the check cannot become",
        "`gatepost check --as USER` needs a user of /etc/passwd, by name or number, and root, unless USER is the one who runs it.",
    ),
    code(
        "C0130",
        "a public suffix list that cannot be used",
        "The file is not in the format of https://publicsuffix.org/list/: one rule a line (`co.uk`, `*.ck` or `!www.ck`), comments after `//`. Download it again, or remove the setting to use the built-in list.",
    ),
    // What the site taught.
    code(
        "L0101",
        "the labels of this site cannot be read",
        "The directory of `learner.path`, or a file in it, may not be read by the user under whom Gatepost runs, or is not a file of the learner. Messages are judged by rules and model alone until it can be read.",
    ),
    code(
        "L0102",
        "a damaged label log",
        "Bytes of the log are not what was written: a fault of the disk, or an edit of the file. The labels stored there are lost; those before and after it are found and stay valid.",
    ),
    code(
        "L0103",
        "a snapshot that cannot be used",
        "A snapshot is damaged, or was made by another version of the learner. `weights` can always be made again from the log. `base` holds what labels taught that have left the log, and cannot.",
    ),
    code(
        "L0104",
        "a file of the learner with another owner than its directory",
        "A command that ran as another user made it. Where the daemon may not read it, messages are judged without what it holds; where the owner of the directory may not write it, the next label fails. Give the file to the owner of the directory. `gatepost learn` as root keeps owners.",
    ),
    // Models.
    code(
        "M0101",
        "a model file cannot be read",
        "The file is missing or may not be read. On a reload the last good model stays in use; at start the daemon does not run without the configured model.",
    ),
    code(
        "M0102",
        "a model's manifest is missing or malformed",
        "Next to the ONNX file is a manifest (JSON) that says what the model was trained on and how it is calibrated. Without it the model is not used.",
    ),
    code(
        "M0103",
        "a model for another feature schema",
        "The model was trained on features of another version than this program computes. Use the model that came with this version, or train again with `gatepost model train`.",
    ),
    code(
        "M0104",
        "a model file that is not the one its manifest describes",
        "The digest in the manifest does not fit the ONNX file: one of the two was replaced. Install both from the same source.",
    ),
    code(
        "M0105",
        "a model that does not load",
        "The ONNX file uses something that the engine cannot run, or is damaged.",
    ),
    // Rules: reading files.
    code(
        "R0101",
        "a rule file cannot be read",
        "The file is missing, may not be read, or is larger than 4 MiB.",
    ),
    code(
        "R0102",
        "an unknown directive",
        "The first word of the line is not a directive of the rule language. Because a misspelt directive would silently drop a rule, it is an error. Directives of plugins belong inside `ifplugin … endif`.",
    ),
    code(
        "R0103",
        "a directive that is not implemented yet",
        "SpamAssassin knows this setting and Gatepost accepts it, but it changes nothing yet.",
    ),
    code(
        "R0104",
        "a directive without its argument",
        "The directive needs more words than the line has.",
    ),
    code(
        "R0105",
        "a rule name that cannot be used",
        "Rule names are made of letters, digits and underscores, do not begin with a digit, and have at most 100 characters.",
    ),
    code(
        "R0106",
        "too many rules",
        "A rule set may hold 20,000 rules. This limit keeps loading time and memory bounded.",
    ),
    code(
        "R0107",
        "a condition that cannot be understood",
        "`if` takes numbers, `version`, `perl_version`, `plugin(NAME)`, `can(NAME)`, `has(NAME)`, `local_tests_only`, parentheses and the operators ! && || < <= == != >= > + - * /.",
    ),
    code(
        "R0108",
        "if, else and endif do not fit together",
        "Every `if` and `ifplugin` needs one `endif` in the same file; `else` comes between them, once.",
    ),
    code(
        "R0109",
        "a line that is too long",
        "A line of a rule file may have 65,536 bytes.",
    ),
    code(
        "R0110",
        "conditions nested too deeply",
        "`if` blocks may be nested 64 deep.",
    ),
    code(
        "R0111",
        "a file for another version",
        "`require_version` names another version than 4.000001, whose language this is: the rest of the file is skipped, as SpamAssassin does.",
    ),
    code(
        "R0112",
        "a setting that is decided elsewhere",
        "SpamAssassin reads this from rule files; in Gatepost it belongs to gatepost.toml, or is always so. The line is accepted and changes nothing. The help says where to look.",
    ),
    code(
        "R0113",
        "an included file that is not there",
        "`include PATH` names a file that was not found or may not be read. Relative paths start at the directory of the including file. Its rules are missing; the others load.",
    ),
    code(
        "R0114",
        "files that include each other too deeply",
        "Files may be included 8 deep and 256 of them altogether, and none may include itself, directly or by way of others.",
    ),
    code(
        "R0115",
        "a plugin that does not come with SpamAssassin",
        "`loadplugin` or `ifplugin` names Perl code of a third party, which Gatepost does not run. Its `ifplugin` blocks are skipped; rules outside of them that call its functions are disabled, and unknown settings are warnings, since they may be its own.",
    ),
    // Rules: the definition of one rule.
    code(
        "R0201",
        "a header test that cannot be understood",
        "Write `header NAME Header =~ /regex/`, `header NAME Header !~ /regex/`, `header NAME exists:Header` or `header NAME eval:function()`.",
    ),
    code(
        "R0202",
        "an unknown header modifier",
        "After the header's name may follow :raw, :addr, :name, :first, :last, :host or :domain, some of them together.",
    ),
    code(
        "R0203",
        "an unknown eval function",
        "The rule asks for a function that Gatepost does not have (yet). The rule is disabled: it never hits, and metas see it as 0.",
    ),
    code(
        "R0204",
        "wrong arguments of an eval function",
        "The message says which arguments the function takes.",
    ),
    code(
        "R0205",
        "a score that is not a number",
        "Write one score, or four for the score sets: local, network, Bayes, both. Gatepost uses the first, unless a line `score_set N` (0 to 3) says otherwise.",
    ),
    code(
        "R0206",
        "a score, description or flag for a rule that does not exist",
        "No rule of that name was defined. Often the name is misspelt, or the rule was renamed.",
    ),
    code(
        "R0207",
        "an unknown tflag",
        "Gatepost knows the flags of SpamAssassin and `shadow`. An unknown flag has no effect.",
    ),
    code(
        "R0208",
        "a meta expression that cannot be understood",
        "A meta combines rule names and numbers with ! && || + - * / < <= == != >= > and parentheses.",
    ),
    code(
        "R0209",
        "a meta that names a rule that does not exist",
        "The unknown name counts as 0, as in SpamAssassin. Often it is a slip, or the rule lives in a file that was not loaded.",
    ),
    code(
        "R0210",
        "cyclic dependency between meta rules",
        "A meta cannot, directly or by way of others, depend on itself. The message names the cycle.",
    ),
    code(
        "R0211",
        "a meta expression that is too large",
        "A meta may have 4,096 tokens and parentheses 64 deep.",
    ),
    code(
        "R0212",
        "a test line that cannot be understood",
        "Write `test NAME ok STRING` for text on which the rule must hit, `test NAME fail STRING` for text on which it must not.",
    ),
    code(
        "R0213",
        "a kind of rule that is not implemented yet",
        "SpamAssassin knows this kind of rule. Gatepost accepts the line, but the rule is disabled: it never hits, and metas see it as 0.",
    ),
    code(
        "R0214",
        "a meta that needs a disabled rule",
        "One of the rules that the meta names is disabled (score 0, or not supported). It counts as 0.",
    ),
    code(
        "R0215",
        "a relative score without a score before it",
        "`score NAME (1)` adds to the score so far, and there is none. SpamAssassin ignores such a line, and so does Gatepost. Write the score without parentheses, or load the file that sets it first.",
    ),
    code(
        "R0216",
        "a priority that is not a number",
        "`priority NAME N` takes a whole number between -1,000,000 and 1,000,000; lower runs first, and 0 is usual.",
    ),
    code(
        "R0217",
        "a shortcircuit that cannot be understood",
        "Write `shortcircuit NAME spam`, `ham`, `on` or `off`: whether, and with which score, a hit of the rule ends the scan.",
    ),
    code(
        "R0218",
        "a template that nothing fills",
        "`%{NAME}` is replaced by what another rule captured with `(?<NAME>…)`. No rule does, so the rule is disabled.",
    ),
    code(
        "R0219",
        "a uri_detail rule that cannot be understood",
        "Write `uri_detail NAME key =~ /regex/ key !~ /regex/ …`; keys are raw, type, cleaned, text, domain and host. All conditions must hold for one URL.",
    ),
    code(
        "R0220",
        "a report or header template that cannot be used",
        "The message says what is wrong with the line: `add_header spam|ham|all NAME text`, `remove_header spam|ham|all NAME`, `rewrite_header subject|from|to text`, `report text`.",
    ),
    code(
        "R0221",
        "rules with templates that do not run",
        "In one long-lived process SpamAssassin 4.0.1 was not seen to fill `%{NAME}` for each message: of 2,200 messages 28 hit such rules when each had a process of its own, and none when all shared one. A set with `loadplugin` lines hits as such a daemon does: these rules are off. `capture_templates 1` runs them as they are meant, with what each message contains; `capture_templates 0` leaves them off without a warning.",
    ),
    // Rules: regular expressions.
    code(
        "R0301",
        "a regular expression without delimiters",
        "Write `/regex/`, or `m{regex}`, `m,regex,` and the like where the regex itself has slashes; letters of i, m, s, x may follow.",
    ),
    code(
        "R0302",
        "a regular expression that cannot be understood",
        "The caret marks where reading had to stop.",
    ),
    code(
        "R0303",
        "a regular expression that cannot be run",
        "Look-around, back-references, possessive and atomic groups run in an engine that tries one way after the other and counts its steps: 200,000 for each text and 4 for each of its bytes, 10 million for each message. Where that is not enough the rule does not hit, and the message has the anomaly `rule_limit`. What even this engine refuses is a look-behind that may reach back more than 255 bytes, as in Perl, and a pattern of more than 262,144 steps: the rule is disabled.",
    ),
    code(
        "R0304",
        "a regular expression that is too large",
        "Counted repetition multiplies: `((a{100}){100}){100}` needs a million states. The limits are 65,534 per repetition, 64 nested groups, and about 10 MiB per compiled rule.",
    ),
    code(
        "R0305",
        "an unknown modifier after a regular expression",
        "Gatepost knows i, m, s and x; a, n, o, p, u, l and d change nothing. `g`, `e` and `r` have no meaning in a rule.",
    ),
    code(
        "R0306",
        "an empty regular expression",
        "It matches everything, which is hardly wanted.",
    ),
    code(
        "R0307",
        "code inside a regular expression",
        "`(?{ … })` runs Perl code. Neither SpamAssassin nor Gatepost allows it in rules.",
    ),
    code(
        "R0308",
        "a regular expression that cannot be used here",
        "Recursion, conditionals, control verbs and characters beyond one byte are not implemented: the rule is disabled.",
    ),
    // Rules: lint.
    code(
        "R0401",
        "a rule without description",
        "`describe NAME text` explains to those who read the headers of a message why it was marked.",
    ),
    code(
        "R0402",
        "a rule without score",
        "It counts 1.0, as in SpamAssassin. Write the score that you mean.",
    ),
    code(
        "R0403",
        "a rule that is defined twice",
        "The later definition wins. In one directory this is usually a slip; to change a rule that ships with Gatepost, it is right.",
    ),
    code(
        "R0404",
        "a rule without test line",
        "`test NAME ok STRING` and `test NAME fail STRING` are run by `gatepost rules check`, and show the next reader what the rule is for.",
    ),
    code(
        "R0405",
        "a test line that fails",
        "The rule does not do what its test line says.",
    ),
    code(
        "R0406",
        "a rule that always hits",
        "The expression matches the empty text, or the meta is never 0, so the rule hits every message.",
    ),
    code(
        "R0407",
        "a test line that cannot be run here",
        "The rule is disabled, or asks for something that Gatepost cannot look at yet: its test line would say nothing.",
    ),
    code(
        "R0408",
        "a rule that never hits",
        "Nothing can match its regular expression, no message has the field that it asks for, or its meta is 0 whatever the rules in it do. Body rules are tried on one paragraph at a time, so a line end in the middle never matches there: use `\\s+`, or a rawbody rule.",
    ),
    code(
        "R0409",
        "a rule that hits only where another one hits",
        "Every text that this rule finds is found by the other one too, and their scores add up. That may be meant; often one was widened later and the other forgotten.",
    ),
    code(
        "R0410",
        "two rules with the same pattern",
        "Both look at the same part of the mail for the same regular expression. One of them is enough: metas can name it, and scores need not be split.",
    ),
    code(
        "R0411",
        "a slow rule",
        "On a short mail of our sample the rule took more than 100000 steps of backtracking, because it has no literal by which most mail could be skipped, or repeats without limit. The steps are the same on every machine; `gatepost rules bench` shows them, and the time that each rule takes.",
    ),
];

#[cfg(test)]
#[path = "codes_tests.rs"]
mod tests;
