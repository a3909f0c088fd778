# shellcheck shell=bash
# To be sourced. Installs Debian packages without starting their services: no public Postfix comes up, and one that runs
# already is left alone.

# install_packages NAME...: installs those that are missing; false, with the reason printed, when that is not possible.
install_packages() {
  local missing=() name guard=/usr/sbin/policy-rc.d made=no status=0
  for name in "$@"; do
    if ! dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed'; then missing+=("$name"); fi
  done
  ((${#missing[@]})) || return 0
  if ! command -v apt-get >/dev/null; then
    printf 'please install: %s\n' "${missing[*]}" >&2
    return 1
  fi
  if ((EUID != 0)); then
    printf 'please install as root: apt-get install %s\n' "${missing[*]}" >&2
    return 1
  fi
  printf '==> installing %s\n' "${missing[*]}" >&2
  if [[ ! -e $guard ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$guard"
    chmod 755 "$guard"
    made=yes
  fi
  if command -v debconf-set-selections >/dev/null; then
    echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
  fi
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
    </dev/null >&2 || status=$?
  if [[ $made == yes ]]; then rm -f "$guard"; fi
  if ((status)); then printf 'apt-get could not install %s\n' "${missing[*]}" >&2; fi
  return "$status"
}

# rust_needed CARGO_TOML: the oldest Rust that builds Gatepost.
rust_needed() { sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$1" | head -n 1; }

# rust_version: the version of the Rust in the PATH; nothing where there is none.
rust_version() {
  if command -v cargo >/dev/null && command -v rustc >/dev/null; then rustc --version 2>/dev/null | cut -d ' ' -f 2; fi
}

# is_at_least VERSION NEEDED
is_at_least() { [[ -n $1 && $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$2" ]]; }

# ensure_rust CARGO_TOML: a Rust that is new enough; where it is missing or too old, Debian's packages cargo-web and rustc-web
# (they take the place of cargo and rustc). False, with the reason printed, when that is not possible.
ensure_rust() {
  local needed found offered
  needed=$(rust_needed "$1")
  found=$(rust_version)
  if is_at_least "$found" "$needed"; then return 0; fi
  printf 'Rust %s or later is needed; here is %s\n' "$needed" "${found:-none}" >&2
  if ((EUID == 0)) && command -v apt-get >/dev/null; then apt-get update -qq >&2 || true; fi
  offered=$(apt-cache policy rustc-web 2>/dev/null | sed -n 's/^ *Candidate: \([0-9.]*\).*/\1/p')
  if ! is_at_least "$offered" "$needed"; then
    printf 'Debian offers %s; please install Rust from https://rustup.rs/\n' "${offered:-none}" >&2
    return 1
  fi
  if ! install_packages rustc-web cargo-web; then return 1; fi
  hash -r
  found=$(rust_version)
  if ! is_at_least "$found" "$needed"; then
    printf 'the Rust in the PATH is still %s: put /usr/bin first, or update it with rustup\n' "${found:-none}" >&2
    return 1
  fi
  printf '==> Rust %s of the packages rustc-web and cargo-web\n' "$found" >&2
}
