# A mail was moved out of Junk: tell Gatepost that it is ham, unless it went to where mail is thrown away or stays junk.
require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment", "variables", "special-use"];

if environment :matches "imap.mailbox" "*" { set "mailbox" "${1}"; }
if anyof (
  string :matches "${mailbox}" ["Trash", "*/Trash", "*.Trash", "*Deleted Messages", "*Deleted Items"],
  string :matches "${mailbox}" ["Junk", "Junk/*", "Junk.*", "INBOX.Junk", "INBOX.Junk.*", "INBOX/Junk", "INBOX/Junk/*"],
  # What Dovecot's settings mark as such, in whatever language it is named.
  specialuse_exists "${mailbox}" "\\Trash",
  specialuse_exists "${mailbox}" "\\Junk"
) { stop; }

if environment :matches "imap.user" "*" { set "user" "${1}"; }

pipe :copy "gatepost-learn.sh" [ "ham", "${user}" ];
