"""The tables of trec_stream.sh, which see."""

import argparse
import tempfile
from pathlib import Path

import corpora
import filters
import tables

NAME = "trec07p-first-half"
MODES = {"full": {}, "delay": {"delay": 1_000}, "first": {"first": 10_000}}
# Where there is memory as a file system, bogofilter keeps its words there: it opens the file for every mail.
MEMORY = Path("/dev/shm")


def main():
    """Masks, replays, prints."""
    parser = argparse.ArgumentParser(prog="trec_stream.sh")
    parser.add_argument("gatepost")
    parser.add_argument("corpora")
    parser.add_argument("scratch")
    parser.add_argument("--count", type=int)
    parser.add_argument("--mode", action="append", choices=list(MODES))
    parser.add_argument("--ours-only", action="store_true")
    arguments = parser.parse_args()

    scratch = Path(arguments.scratch) / NAME
    tables.say("masking")
    mask = corpora.Mask(arguments.corpora, keep_session=True)
    published = Path(arguments.corpora) / f"{NAME}.index"
    index, labelled = corpora.masked_stream(published, mask, filters.fresh(scratch / "messages"), arguments.count)
    print(f"{NAME}: {len(labelled)} messages, {sum(spam for _, spam in labelled)} spam")
    for mode in arguments.mode or MODES:
        bench = tables.Bench(labelled, scratch, f"{mode}-")
        if arguments.ours_only:
            bench.recall()
        else:
            bench.forget()
            bogofilter(bench, index.parent, MODES[mode])
        gatepost(bench, index, MODES[mode], arguments.gatepost)
        print(f"\n{title(mode)}\n\n{bench.tables(tables.STREAM_COLUMNS)}", flush=True)


def title(mode):
    """What the labels do."""
    words = " ".join(f"{name} {value}" for name, value in MODES[mode].items())
    return f"Labels: {words or 'full feedback'}"


def bogofilter(bench, messages, mode):
    """At its own cutoff, and at one half."""
    tables.say(f"{bench.prefix}bogofilter")
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else bench.scratch) as words:
        peer = filters.Bogofilter(messages, words)
        judged = peer.stream(bench.labelled, tell=progress, **mode)
    bench.add("bogofilter", judged, 1000 * peer.seconds / len(judged))
    bench.add("bogofilter at 0.5", [(score, score >= 0.5) for score, _ in judged])


def gatepost(bench, index, mode, binary):
    """A fresh site learner alone, without the shipped model."""
    tables.say(f"{bench.prefix}{bench.OURS}")
    peer = filters.Gatepost(binary)
    report, judged = peer.stream(index, bench.file(bench.OURS), **mode)
    bench.add_ours(report, judged, 1000 * peer.seconds / len(bench.labelled))


def progress(done, total):
    """A line now and then."""
    if done % 5_000 == 0:
        tables.say(f"  {done} of {total}")


if __name__ == "__main__":
    main()
