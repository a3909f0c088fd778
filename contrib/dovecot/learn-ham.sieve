# A mail was moved out of Junk: tell Gatepost that it is ham, unless it went to where mail is thrown away or stays junk.
require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment", "variables", "special-use"];

if environment :matches "imap.mailbox" "*" { set "mailbox" "${1}"; }
if anyof (
  string :matches "${mailbox}" ["Trash", "*/Trash", "*.Trash"],
  string :matches "${mailbox}" ["Junk", "Junk/*", "Junk.*"],
  # What Dovecot's settings or the user's client marked as such, in whatever language it is named.
  specialuse_exists "${mailbox}" "\\Trash",
  specialuse_exists "${mailbox}" "\\Junk"
) { stop; }

if environment :matches "imap.user" "*" { set "user" "${1}"; }

pipe :copy "gatepost-learn.sh" [ "ham", "${user}" ];
