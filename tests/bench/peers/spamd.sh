#!/bin/sh
# CPU per mail with the same rules over the same messages, in one run: `spamd -L` through spamc, SpamAssassin's Perl API in one
# process, and ours.
#
#   tests/bench/peers/spamd.sh OURS LIST [SITE]
#
# OURS: the benchmark binary (cargo bench --bench rules --no-run prints its path); LIST: a file with one mail path a line;
# SITE: directory with the site's *.pre and *.cf (default /etc/spamassassin). Needs the Debian packages spamassassin, spamd
# and spamc. The Perl API is asked by the parity tool, ../shared/parity/sa_hits.pl next to the repository, or the script that
# SA_HITS names. spamd's time is that of its children, read from /proc: start-up is not counted, as in ours.
set -eu

ours=$1
list=$2
site=${3:-/etc/spamassassin}
stock=/usr/share/spamassassin
port=${PORT:-17830}
oracle=${SA_HITS:-$(dirname "$0")/../../../../shared/parity/sa_hits.pl}
messages=$(wc -l < "$list")
hertz=$(getconf CLK_TCK)
work=$(mktemp -d)
daemon=
trap 'if [ -n "$daemon" ]; then kill "$daemon" || true; fi; rm -r "$work"' EXIT
trap 'exit 1' INT TERM

# Ticks of CPU of the children of a process, living ones.
ticks() {
    total=0
    for stat in /proc/[0-9]*/stat; do
        # The name in parentheses may have blanks: cut it away.
        line=$(sed 's/^.*) //' "$stat" 2> /dev/null) || continue
        # shellcheck disable=SC2086 # words are wanted
        set -- $line
        if [ "${2:-}" = "$daemon" ]; then
            total=$((total + ${12} + ${13}))
        fi
    done
    echo "$total"
}

# spamd's children refuse to be root.
user=$(id -un)
if [ "$user" = root ]; then user=nobody; fi

spamd_us=
if command -v spamd > /dev/null && command -v spamc > /dev/null; then
    spamd -L -m 1 --min-children=1 --max-conn-per-child=100000 -C "$stock" --siteconfigpath="$site" \
        -i 127.0.0.1 -p "$port" -u "$user" -x -r "$work/pid" > "$work/spamd.log" 2>&1 &
    daemon=$!
    tries=0
    until echo | timeout 10 spamc -d 127.0.0.1 -p "$port" -x > /dev/null 2>&1 || [ "$tries" -ge 60 ]; do
        tries=$((tries + 1))
        sleep 1
    done
    before=$(ticks)
    while read -r mail; do
        timeout 60 spamc -d 127.0.0.1 -p "$port" -s 52428800 < "$mail" > /dev/null || true
    done < "$list"
    after=$(ticks)
    spamd_us=$(((after - before) * 1000000 / hertz / messages))
fi

perl_us=
if [ -r "$oracle" ] && perl -MMail::SpamAssassin -e 1 2> /dev/null; then
    # It tells the seconds of scanning itself, without start-up.
    xargs perl "$oracle" --quiet --time --rules "$stock" --site "$site" < "$list" 2> "$work/perl" > /dev/null
    perl_us=$(awk '{ for (i = 2; i <= NF; i++) if ($i == "ms/msg") printf "%d", $(i - 1) * 1000 }' "$work/perl")
fi

"$ours" --rules "$stock" --rules "$site" --list "$list" > "$work/ours"
cold=$(awk '$1 == "stock" { print $4 }' "$work/ours")
warm=$(awk '$1 == "stock" { print $5 }' "$work/ours")

row() {
    awk -v name="$1" -v us="${2:-}" -v ours="$cold" 'BEGIN {
        if (us == "") printf "%-34s %12s %9s\n", name, "absent", "-"
        else printf "%-34s %12.0f %8.1fx\n", name, us, us / ours
    }'
}
echo "$messages messages, CPU"
printf '%-34s %12s %9s\n' "" "us a mail" "to ours"
row "spamd -L through spamc (children)" "$spamd_us"
row "Perl API, one process" "$perl_us"
row "ours, first pass" "$cold"
row "ours, warm" "$warm"
