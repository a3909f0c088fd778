"""The table of spamassassin_corpus.sh, which see."""

import argparse
import signal
import sys
from pathlib import Path

import corpora
import filters
import tables

NAME = "spamassassin"


def main():
    """Masks, trains, scores, prints."""
    parser = argparse.ArgumentParser(prog="spamassassin_corpus.sh")
    parser.add_argument("gatepost")
    parser.add_argument("corpora")
    parser.add_argument("scratch")
    parser.add_argument("--drop-session", action="store_true")
    parser.add_argument("--only", action="append", choices=list(PEERS), help="only that peer; may be repeated")
    parser.add_argument("--ours-only", action="store_true")
    arguments = parser.parse_args()
    # Ending this ends its daemons, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    scratch = Path(arguments.scratch) / (NAME + ("-dropped" if arguments.drop_session else ""))
    messages = filters.fresh(scratch / "messages")
    tables.say("masking")
    parts = corpora.masked_corpus(arguments.corpora, NAME, corpora.Mask(arguments.corpora, not arguments.drop_session), messages)
    bench = tables.Bench(parts["test"], scratch)
    if arguments.ours_only:
        bench.recall()
    else:
        bench.forget()
        for name in arguments.only or PEERS:
            tables.say(name)
            PEERS[name](bench, parts, messages, filters.fresh(scratch / "work" / name))
    ours(bench, parts, messages, arguments.gatepost)
    session = "without" if arguments.drop_session else "with"
    print(f"{NAME}: trained on {count(parts['train'])}, measured on {count(parts['test'])},")
    print(f"{session} the traces of the session\n")
    print(bench.tables(tables.CORPUS_COLUMNS))


def count(part):
    """How many messages, in words."""
    spam = sum(spam for _, spam in part)
    return f"{len(part)} messages ({len(part) - spam} ham, {spam} spam)"


def paths(part):
    """The paths alone."""
    return [path for path, _ in part]


def each(seconds, parts):
    """Milliseconds for one mail, learned or scored."""
    return 1000 * seconds / sum(map(len, parts.values()))


def bogofilter(bench, parts, messages, work):
    """At its own cutoff, and at one half."""
    peer = filters.Bogofilter(messages, work)
    peer.learn(parts["train"])
    judged = peer.judge(paths(parts["test"]))
    bench.add("bogofilter", judged, each(peer.seconds, parts))
    bench.add("bogofilter at 0.5", [(score, score >= 0.5) for score, _ in judged])


def spamassassin(bench, parts, messages, work):
    """Rules and Bayes, and Bayes alone."""
    peer = filters.SpamAssassin(messages, work)
    peer.learn(parts["train"])
    both, bayes = peer.judge(paths(parts["test"]))
    bench.add("SpamAssassin", both, each(peer.seconds, parts))
    bench.add("SpamAssassin Bayes alone", bayes)


def rspamd(bench, parts, messages, work):
    """Rules and Bayes, and Bayes alone."""
    with filters.Rspamd(messages, work) as peer:
        declined = peer.learn(parts["train"])
        tables.say(f"rspamd declined to learn {declined} messages")
        both, bayes = peer.judge(paths(parts["test"]))
    bench.add("rspamd", both, each(peer.seconds, parts))
    bench.add("rspamd Bayes alone", bayes)


PEERS = {"bogofilter": bogofilter, "spamassassin": spamassassin, "rspamd": rspamd}


def ours(bench, parts, messages, binary):
    """The shipped model and a site learner that learned the train part."""
    tables.say(bench.OURS)
    peer = filters.Gatepost(binary)
    report, judged = peer.corpus(messages, NAME, bench.file(bench.OURS))
    bench.add_ours(report, judged, each(peer.seconds, parts))


if __name__ == "__main__":
    main()
