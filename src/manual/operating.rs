//! Operating Gatepost.
//!
//! # From nothing to filtered mail
//!
//! 1. `gatepost check` reports whether configuration, rules, model, learner and sockets are in order
//!    (`--format json` for machines); without a configuration file the embedded defaults hold.
//!    `gatepost generate sample-config` prints every key with its default and its reason.
//! 2. `gatepost run` serves in the foreground; a service manager keeps it there (it speaks
//!    `sd_notify`).
//! 3. One line in `main.cf`: see `contrib/postfix/main.cf.fragment`, which explains each parameter,
//!    and `contrib/postfix/README.md` for the chroot and the permissions of the socket.
//!
//! # Outcomes of a message
//!
//! | Outcome | SMTP | Where the mail is |
//! |---|---|---|
//! | accept | 250, header fields added | delivered; `X-Spam-Flag: YES` from `required` (5.0) on |
//! | quarantine | 250 | Postfix's hold queue (`postqueue -p` marks it `!`); `postsuper -H ID` releases it |
//! | reject | 550 5.7.1, the kind of evidence and an id | with the sender, whose own server tells him |
//! | fault | 451 4.3.x (or what `on_fault` says) | with the sender's server, which tries again |
//!
//! `gatepost explain ID` shows the evidence behind an id, as long as the records keep it
//! (`[records]`).
//!
//! # The log
//!
//! One line for each mail, the queue id first, because that is what one greps for; one line for
//! each fault; nothing else at the default level. What came from the mail is escaped: one event is
//! one line, whatever is in it.
//!
//! # Faults
//!
//! A fault means that a mail could not be judged. It never becomes a refusal, and it is never
//! silently accepted.
//!
//! | Fault | Means | Do |
//! |---|---|---|
//! | `deadline` | the verdict was not ready within `limits.deadline` | see whether the machine is short of CPU; `gatepost rules bench` tells which rules cost most |
//! | `panic` | a bug of ours, on this one mail | please report it, with the mail if you may |
//! | `overload` | queue or memory are full | more cores, or a smaller `limits.message` |
//! | `too_large` | the message is larger than `limits.message` | Postfix's `message_size_limit` should be below it |
//! | `cancelled` | the MTA broke off | nothing |
//! | `shutting_down` | the daemon was stopped meanwhile | nothing: the client comes again |
//!
//! # Labels for your own mail
//!
//! `gatepost learn spam FILE…` and `gatepost learn ham FILE…` take messages, mailboxes, directories
//! or standard input, and print the outcome of each; `contrib/dovecot` does so when users move mail
//! to and from `Junk`. The running daemon reads new labels within a second. Label both kinds: labels
//! of one kind alone have no weight.
//!
//! More exact classes are `phish`, `malware` and `unwanted` (the learner treats them as spam) and
//! `bulk` (newsletters that were asked for; the learner treats them as ham). The label log keeps the
//! class that was given, who gave it (`--source`) and on what occasion (`--kind`: a correction, a
//! message of a random sample, or the import of an archive).
//!
//! How much the labels weigh is measured, not set: each label first examines both experts, the
//! content model and the site learner, and the weights are those that would have judged these
//! labels best. Before the first labels the content model judges alone. `gatepost model info` shows
//! the weights, and how many ham labels are missing before it can be claimed that at most 0.1 % of
//! the ham is lost (2,995 at least). The classifier alone never rejects a message, however sure it
//! is.
//!
//! `gatepost model explain FILE` shows which words and features pushed each expert, as parts of one
//! sum. `gatepost learn list` shows the labels; `undo` retracts one of them, `rollback` all since a
//! date, of every source or of one `--source`: the result is as if they had never been given. Labels
//! that have left the log (`learner.log_size`) can no longer be retracted.
//!
//! What is learned about a sender counts for that sender only where a trusted server attests it
//! (`learner.trusted_authservs`); without such a server every sender counts as unauthenticated.
//! Where one customer's newsletter is another one's spam, give their domains copies of their own
//! (`learner.domains`): mail to such a domain is judged by the labels of all mail and by those of its
//! own. The log holds hashes of four-byte pieces and of words of the messages: that is not
//! anonymous, so keep the directory as private as the mailboxes.
//!
//! All files may be lost but `labels`, `labels.1` and `base`: `weights` is made again from them. A
//! machine that stops at any moment costs at most the labels that were not reported yet, and so does
//! a full disk: `learn` then reports what could not be kept, and ends with a status that is not 0.
//! `gatepost check` shows what is damaged, what that costs, and what to do. A label log of the
//! version before this one is read and continued; once a label is added, that older version refuses
//! it.
//!
//! # Reload and restart
//!
//! `gatepost reload` (or `SIGHUP`) builds a new generation of rules, model, policy and limits of
//! reading completely, and exchanges it between messages. If anything is wrong with the new one, the
//! old one stays and the answer says what is wrong, with file, line and column. `[learner]` is part
//! of it: the learner is switched on or off, or goes over to another directory, which must be there.
//!
//! Each key takes effect with a reload or with a restart; `gatepost explain KEY` says which. The
//! answer and the log name both: `changed: policy.reject; needs a restart: limits.connections,
//! listener.inbound.socket`. What needs a restart is named again with every reload until there was
//! one. `gatepost config show --running` asks the daemon for the values in force, with the file and
//! line of each, and marks those that wait.
//!
//! The control socket (`server.control`) takes one line of JSON and answers with one:
//! `{"command":"reload"}` (also `ping`, `metrics`, `config`) gives `ok`, `text` and, for a reload,
//! `generation`, `changed`, `restart` and `notes`.
//!
//! Where a key has another name than in the version before, the old name is accepted with a warning
//! for one release.
//!
//! # Names of the client
//!
//! With `dns.client_names` the daemon asks the resolvers of `/etc/resolv.conf` (or `dns.servers`) for
//! the names of each client, and whether they lead back to its address. A message waits for the
//! answers for at most `dns.timeout`; what is not known then is unknown, and nothing else happens.
//! By default nothing is looked up.
//!
//! `SIGTERM` drains: no new connections, transactions in progress are finished, then the daemon ends.
//! A second `SIGTERM` ends it immediately. With `default_action=tempfail` Postfix defers what comes
//! while the daemon is down.
//!
//! # When something is beyond the limits
//!
//! Every quantity that a stranger controls has a limit (`[limits]`). What lies beyond it was not
//! looked at, so the mail is at least held (`policy.on_limit_exceeded`), never called clean; the log
//! and the record name the limit.
