# A mail was moved out of the Junk folder: tell Gatepost that it is ham, unless it went to where mail is thrown away.
require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment", "variables"];

if environment :matches "imap.mailbox" "*" { set "mailbox" "${1}"; }
if string "${mailbox}" "Trash" { stop; }

if environment :matches "imap.user" "*" { set "user" "${1}"; }

pipe :copy "gatepost-learn.sh" [ "ham", "${user}" ];
