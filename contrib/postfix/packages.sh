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
