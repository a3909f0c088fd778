//! Rules for tests, each with whether it hits the message of its test.

/// Rules of every kind.
pub(crate) const EVERY_KIND: &[(&str, bool)] = &[
    (r"header X Subject =~ /^Grüße from the sea$/", true),
    (r"header X Subject:raw =~ /^ =\?utf-8\?q\?/", true),
    (r"header X From:addr =~ /^alice\@example\.com$/", true),
    (r"header X From:name =~ /^Alice$/", true),
    (r"header X From:domain =~ /^example\.com$/", true),
    (r"header X To:addr =~ /^carol/m", true),
    (r"header X ToCc =~ /bob.*carol/", true),
    (r"header X Received:first =~ /one/", true),
    (r"header X Received:last =~ /one/", false),
    (r"header X Received =~ /one\ntwo/", true),
    (r"header X ALL =~ /^Date: Thu/m", true),
    (r"header X EnvelopeFrom =~ /^bounce\@example\.com$/", true),
    (
        r"header X X-Spam-Relays-External =~ /^\[ ip=\S+ rdns= helo=mail\.example\.com /",
        true,
    ),
    (r"header X X-None =~ /./", false),
    (r"header X X-None !~ /./", true),
    (r"header X X-None =~ /^$/", true),
    (r"header X X-None =~ /none/ [if-unset: none]", true),
    (r"header X X-None !~ /none/ [if-unset: none]", false),
    (r"header X Subject !~ /sea/", false),
    (r"header X exists:Date", true),
    (r"header X exists:X-None", false),
    (r"body X /^First line goes on\.$/", true),
    (r"body X /Second paragraph, see/", true),
    (r"body X /on\.\s+Second/", false),
    (r"body X /sea/", true),
    ("body X /sea/\ntflags X nosubject", false),
    (r"rawbody X /Second  paragraph/", true),
    (r"uri X m{^http://www\.example\.com/path$}", true),
    (r"full X /\r\nSubject: =\?utf/", true),
    (r"mimeheader X Content-Type =~ m{^text/plain}", true),
    (r"mimeheader X Content-Type !~ m{^text/html}", true),
    (r"mimeheader X Content-Type !~ m{^text/plain}", false),
    (r"meta X __NOW > 2", true),
    (r"meta X __NOW == 3 && !__NONE", true),
    (r"meta X __NONE", false),
    (r"meta X __NOW / 0", false),
    (r"meta X UNKNOWN || __NOW", true),
    (r"meta X rules_matching(__N*) == 1", true),
    ("meta X OFF || __NOW\nmeta OFF __NOW\nscore OFF 0", false),
    ("body X /First/\nscore X 0", false),
    ("body X /Nothing/\nbody X /First/", true),
    (r"header X eval:check_for_no_rdns()", true),
    (
        r"header X eval:check_for_matching_env_and_hdr_from()",
        false,
    ),
    (
        r"header X eval:check_header_count_range('Received','2','2')",
        true,
    ),
    (r"header X eval:check_for_shifted_date('3','6')", true),
    (r"header X eval:check_for_shifted_date('4','undef')", true),
    (r"header X eval:check_for_shifted_date('undef','4')", false),
    (r"header X eval:check_helo(/^mail\./)", true),
    (r"header X eval:check_null_sender()", false),
    (r"header X eval:nothing_known()", false),
    (r"body X /sea(?=)/", true),
    (r"body X /sea(?!.)/", true),
    (r"body X /(\w)\1+ (\w)\2/", false),
    (r"body X /(now) \1/", true),
    (
        "ifplugin Mail::SpamAssassin::Plugin::DKIM\nbody X /First/\nendif",
        false,
    ),
    (
        "if (version >= 4.000000)\nbody X /First/\nelse\nbody X /None/\nendif",
        true,
    ),
    ("lang de body X /None/\nlang en body X /First/", true),
    ("require_version 9\nbody X /First/", false),
];

/// Templates, details of URLs, entities, tags and conditions.
pub(crate) const LANGUAGE: &[(&str, bool)] = &[
    // Templates.
    (
        "header __T To:addr =~ /(?<TO>.*)/\nuri X m|\\#%{TO}|i",
        true,
    ),
    (
        "header __T To:addr =~ /(?<TO>.*)/\nuri X m|\\#%{TO}|",
        false,
    ),
    (
        "header __T To:addr =~ /(?<TO>b.b)@/\nbody X /hello %{TO}/i",
        false,
    ),
    (
        "header __T To:name =~ /(?<NAME>\\w+)/\nbody X /\\bHello %{NAME}\\b/",
        true,
    ),
    (
        "header __T To:name =~ /(?<NAME>\\w+)/\nbody X /%{NAME}.*%{OTHER}/",
        false,
    ),
    (
        "header __T To:name =~ /(?<NAME>postmaster)/\nbody X /%{NAME}/",
        false,
    ),
    (
        "body __T /(?<W>\\w{5,})/\ntflags __T multiple\nheader X From:addr =~ /%{W}/",
        true,
    ),
    (
        "header __T To:name =~ /(?<NAME>\\w+)/\nheader X From !~ /%{NAME}/",
        true,
    ),
    (
        "header __T To:name =~ /(?<NAME>\\w+)/\nheader X From =~ /%{NAME}/ [if-unset: Bob]",
        false,
    ),
    (
        "header __T To:name =~ /(?<NAME>\\w+)/\nheader X X-None =~ /%{NAME}/ [if-unset: Bob]",
        true,
    ),
    (
        "header __T To:name =~ /(?<NAME>\\w+)/\nbody __B /%{NAME}/\nmeta X __B",
        true,
    ),
    (
        "header __T To:name =~ /(?<NAME>\\w+)/\nbody X /\\%{NAME}/",
        false,
    ),
    // Details of URLs.
    ("uri_detail X text =~ /^https:/ cleaned !~ /^https:/", true),
    ("uri_detail X text =~ /^http:/", false),
    (
        "uri_detail X raw =~ /%2Ebar/ domain =~ /^example\\.com$/ type =~ /^a$/",
        true,
    ),
    ("uri_detail X type =~ /^parsed$/ host =~ /^plain\\./", true),
    (
        "uri_detail X type =~ /^parsed$/ domain =~ /^example\\.com$/",
        false,
    ),
    // Entities.
    ("mimeheader X Content-Type =~ /pdf/", true),
    ("mimeheader X Content-Type =~ /pdf/\ntflags X range=3", true),
    (
        "mimeheader X Content-Type =~ /pdf/\ntflags X range=-2",
        false,
    ),
    (
        "mimeheader X Content-Type =~ /^multipart/\ntflags X range=2-",
        false,
    ),
    (
        "mimeheader X Content-Type =~ /^text/\ntflags X range=2-3",
        true,
    ),
    (
        "mimeheader X Content-Type =~ /html.*\\n.*pdf/\ntflags X concat",
        true,
    ),
    ("mimeheader X Content-Type =~ /html.*\\n.*pdf/", false),
    ("mimeheader X ALL =~ /attachment/\ntflags X range=3-", true),
    (
        "mimeheader X Content-Disposition =~ /none/ [if-unset: none]",
        true,
    ),
    (
        "mimeheader X Content-Disposition !~ /none/ [if-unset: none]",
        false,
    ),
    (
        "mimeheader X Content-Disposition =~ /none/ [if-unset: none]\ntflags X range=3",
        false,
    ),
    (
        "mimeheader X Content-Type =~ /none/ [if-unset: none]",
        false,
    ),
    ("mimeheader X Content-Disposition =~ /^$/", true),
    // Tags within tags.
    (
        "replace_tag A <B>\nreplace_tag B H[e]llo\nreplace_rules X\nbody X /<A> Bob/",
        true,
    ),
    // Conditions.
    (
        "if can(Mail::SpamAssassin::Conf::feature_capture_rules)\nbody X /Hello/\nendif",
        true,
    ),
    (
        "if has(Mail::SpamAssassin::Plugin::MIMEHeader::has_tflags_range)\nbody X /Hello/\nendif",
        true,
    ),
    ("require_version 3.004000\nbody X /Hello/", false),
    ("require_version @@VERSION@@\nbody X /Hello/", true),
    ("lang en_US body X /Hello/", true),
    ("lang en_GB body X /Hello/", false),
];
