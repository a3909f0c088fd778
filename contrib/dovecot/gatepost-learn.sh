#!/bin/sh
# Called by Dovecot's Sieve with a mail on standard input: gatepost-learn.sh spam|ham USER
# The labels belong to the user `gatepost`, so this script calls itself again as that user; /etc/sudoers.d/gatepost-learn allows
# this script and nothing else, and it hands on nothing but a label and a name. A failure never stops the user's move: it stands
# in Dovecot's log. Neither Dovecot nor sudo hands on an environment: GATEPOST_USER and GATEPOST are for contrib/dovecot/try.
set -eu

label=$1
user=$2
case $label in
  spam | ham) ;;
  *)
    echo "gatepost-learn.sh: the label is spam or ham, not '$label'" >&2
    exit 64
    ;;
esac

if [ "$(id -un)" != "${GATEPOST_USER:-gatepost}" ]; then
  exec sudo -n -u gatepost "$0" "$label" "$user"
fi
exec "${GATEPOST:-/usr/bin/gatepost}" learn "$label" --source="$user" -
