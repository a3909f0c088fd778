#!/bin/sh
# Bogofilter, SpamAssassin, rspamd and Gatepost on the corpus `spamassassin`: trained on split=train, measured on split=test,
# the same bytes for everybody. Prints tables in Markdown; the scores of all messages stay in SCRATCH as TSV.
#
#   [GATEPOST=PROGRAM] [CORPORA=DIR] [SCRATCH=DIR] tests/bench/peers/spamassassin_corpus.sh [--drop-session] [--ours-only]
#
# --drop-session: also without the Received line and the Return-Path of the receiving server. They hold what a milter learns
# from the session; by default everybody may read them.
# --ours-only: only Gatepost runs; what the peers said is taken from the last run.
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

need python3 python3
need zstd zstd
need bogofilter bogofilter
need perl perl
need rspamd rspamd
need redis-server redis-server
perl -MMail::SpamAssassin -e 1 2> /dev/null || missing="$missing spamassassin"
check spamassassin.tar.zst spamassassin.tsv

exec nice -n 5 python3 "$(dirname "$0")/spamassassin_corpus.py" "$GATEPOST" "$CORPORA" "$SCRATCH" "$@"
