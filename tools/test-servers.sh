#!/usr/bin/env bash
# Provides what the tests start: redis-server, PostgreSQL, PgBouncer, Node.js for the judges of the simulator, and a C compiler
# for the race detector.
# As root on Debian it installs what is missing; elsewhere it fails with the line to type.
set -euo pipefail

missing=()
command -v redis-server >/dev/null || missing+=(redis-server)
# Debian keeps PostgreSQL's programs out of the PATH.
command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
command -v pgbouncer >/dev/null || [[ -x /usr/sbin/pgbouncer ]] || missing+=(pgbouncer)
command -v node >/dev/null && command -v npm >/dev/null || missing+=(nodejs npm)
command -v "${CC:-gcc}" >/dev/null || missing+=(gcc libc6-dev)

if ((${#missing[@]} == 0)); then
	exit 0
fi

fail() {
	printf 'make test needs: %s\nType: %s\n' "${missing[*]}" "$1" >&2
	exit 1
}

if ! command -v apt-get >/dev/null; then
	if command -v brew >/dev/null; then
		fail 'brew install redis postgresql pgbouncer node'
	fi
	fail "install redis-server, PostgreSQL (initdb in the PATH), PgBouncer, Node.js with npm, and gcc with your system's package manager"
fi
if ((EUID != 0)); then
	fail "sudo apt-get install -y ${missing[*]}"
fi

echo "make test installs: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -q --no-install-recommends "${missing[@]}"; }
# Fresh images come without lists of packages, and old lists name packages that are gone.
install >&2 || { apt-get update -q >&2 && install >&2; } || fail "apt-get update && apt-get install -y ${missing[*]}"
