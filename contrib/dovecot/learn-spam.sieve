# A mail was moved into Junk: tell Gatepost that it is spam.
require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment", "variables"];

if environment :matches "imap.user" "*" { set "user" "${1}"; }

pipe :copy "gatepost-learn.sh" [ "spam", "${user}" ];
