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
    arguments = parser.parse_args()

    scratch = filters.fresh(Path(arguments.scratch) / NAME)
    tables.say("masking")
    mask = corpora.Mask(arguments.corpora, keep_session=True)
    published = Path(arguments.corpora) / f"{NAME}.index"
    index, labelled = corpora.masked_stream(published, mask, filters.fresh(scratch / "mails"), arguments.count)
    print(f"{NAME}: {len(labelled)} mails, {sum(spam for _, spam in labelled)} spam")
    for mode in arguments.mode or MODES:
        print(f"\n{title(mode)}\n\n{replay(mode, index, labelled, scratch, arguments.gatepost)}", flush=True)


def title(mode):
    """What the labels do."""
    words = " ".join(f"{name} {value}" for name, value in MODES[mode].items())
    return f"Labels: {words or 'full feedback'}"


def replay(mode, index, labelled, scratch, binary):
    """Both filters in one mode: their tables."""
    bench = tables.Bench(labelled, scratch, f"{mode}-")
    tables.say(f"{mode}: {bench.OURS}")
    ours = filters.Gatepost(binary)
    report, judged = ours.stream(index, bench.file(bench.OURS), **MODES[mode])
    tables.say(f"{mode}: bogofilter")
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else scratch) as words:
        peer = filters.Bogofilter(index.parent, words)
        scores = peer.stream(labelled, tell=progress, **MODES[mode])
    bench.add("bogofilter", scores, 1000 * peer.seconds / len(labelled))
    bench.add("bogofilter at 0.5", [(score, score >= 0.5) for score, _ in scores])
    bench.add_ours(report, judged, 1000 * ours.seconds / len(labelled))
    return bench.tables(tables.STREAM_COLUMNS)


def progress(done, total):
    """A line now and then."""
    if done % 5_000 == 0:
        tables.say(f"  {done} of {total}")


if __name__ == "__main__":
    main()
