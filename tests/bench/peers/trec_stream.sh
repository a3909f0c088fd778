#!/bin/sh
# Bogofilter and Gatepost on the stream `trec07p-first-half`, by the protocol of the TREC spam track: each mail is scored before
# its label is given. Prints tables in Markdown; the scores of all messages stay in SCRATCH as TSV.
#
#   [GATEPOST=PROGRAM] [CORPORA=DIR] [SCRATCH=DIR] tests/bench/peers/trec_stream.sh [--count N] [--mode MODE]... [--ours-only]
#
# --count: only the first N messages of the stream. --mode: labels come at once (`full`), 1,000 messages later (`delay`), only for the
# first 10,000 messages (`first`); default: all three. The same bytes for both, and --ours-only, as in spamassassin_corpus.sh.
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

need python3 python3
need zstd zstd
need bogofilter bogofilter
check trec07p-first-half.tar.zst trec07p-first-half.index

exec nice -n 5 python3 "$(dirname "$0")/trec_stream.py" "$GATEPOST" "$CORPORA" "$SCRATCH" "$@"
