# What the scripts of this directory have in common; sourced, not run.
# shellcheck shell=sh disable=SC2034 # used by those who source it

root=$(cd "$(dirname "$0")/../../.." && pwd)
GATEPOST=${GATEPOST:-$root/target/release/gatepost}
CORPORA=${CORPORA:-$root/../shared/corpora}
export PYTHONDONTWRITEBYTECODE=1
SCRATCH=${SCRATCH:-${TMPDIR:-/tmp}/gatepost-peers}

# need PROGRAM PACKAGE: notes the package if the program is absent.
missing=
need() {
    command -v "$1" > /dev/null || missing="$missing $2"
}

# Ends here if anything is absent.
check() {
    if [ -n "$missing" ]; then
        echo "absent; on Debian: apt-get install$missing" >&2
        exit 69
    fi
    if ! [ -x "$GATEPOST" ]; then
        echo "no program at $GATEPOST: cargo build --release, or say where it is: GATEPOST=PATH" >&2
        exit 66
    fi
    for file in "$@"; do
        if ! [ -r "$CORPORA/$file" ]; then
            echo "no $file in $CORPORA: say where the corpora are: CORPORA=DIR" >&2
            exit 66
        fi
    done
    mkdir -p "$SCRATCH"
}
