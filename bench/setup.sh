#!/bin/sh
# Installs what `make bench` measures Anemone against: Debian's prosody and
# ejabberd with their SQLite drivers. Needs root. The packages' own services
# are kept from starting: the bench runs private instances on free loopback
# ports and stops them itself.
set -eu

packages="prosody lua-dbi-sqlite3 ejabberd erlang-p1-sqlite3"

missing=""
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -z "$missing" ]; then
    echo "bench: prosody and ejabberd are installed"
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    echo "bench: run as root, or install by hand:$missing" >&2
    exit 1
fi

# RUNLEVEL=1 alone is not honoured by every package, a policy that answers 101
# ("action forbidden") is. One that is already there is left alone.
policy=/usr/sbin/policy-rc.d
made_policy=""
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    made_policy=yes
fi
cleanup() { [ -z "$made_policy" ] || rm -f "$policy"; }
trap cleanup EXIT

echo "bench: installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=300 update -qq
# shellcheck disable=SC2086 # the list is meant to be split
apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $missing >/dev/null

# Installed, but not to be started at the next boot either, where the policy
# file was ours: a service that the operator had not asked for.
if [ -n "$made_policy" ] && command -v systemctl >/dev/null 2>&1; then
    for package in $missing; do
        case $package in
            prosody | ejabberd) systemctl disable --now "$package" 2>/dev/null || true ;;
        esac
    done
fi
