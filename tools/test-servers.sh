#!/usr/bin/env bash
# Provides what the tests start: redis-server, valkey-server, PostgreSQL, PgBouncer, Node.js for the judges of the simulator, promtool for the
# alert rules, nghttpd for the connections, Chromium for the console, and a C compiler for the race detector.
# As root on Debian it installs what is missing; elsewhere it fails with the line to type.
set -euo pipefail

missing=()
command -v redis-server >/dev/null || missing+=(redis-server)
command -v valkey-server >/dev/null || missing+=(valkey-server)
# Debian keeps PostgreSQL's programs out of the PATH.
command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
command -v pgbouncer >/dev/null || [[ -x /usr/sbin/pgbouncer ]] || missing+=(pgbouncer)
command -v node >/dev/null && command -v npm >/dev/null || missing+=(nodejs npm)
command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || command -v google-chrome >/dev/null || [[ -d '/Applications/Google Chrome.app' ]] || missing+=(chromium-headless-shell)
command -v curl >/dev/null || missing+=(curl)
command -v promtool >/dev/null || missing+=(prometheus)
command -v nghttpd >/dev/null || [[ -x /usr/sbin/nghttpd ]] || missing+=(nghttp2-server)
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
		fail 'brew install redis valkey postgresql pgbouncer node prometheus nghttp2 && brew install --cask google-chrome'
	fi
	fail "install redis-server, valkey-server, PostgreSQL (initdb in the PATH), PgBouncer, Node.js with npm, Chromium, promtool of Prometheus, nghttpd, and gcc with your system's package manager"
fi
if ((EUID != 0)); then
	fail "sudo apt-get install -y ${missing[*]} (valkey-server of Debian 12 is in its backports)"
fi

echo "make test installs: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive

# Debian 12 has Valkey in its backports alone. They are where the machine's own Debian packages come from, so the source is made of
# the machine's: the first stanza of the main suite, in either format, with the suite replaced.
add_backports() {
	local release suite
	release=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
	suite=$release-backports
	[[ -n $release ]] || return 0
	apt-cache policy | grep -q "a=.*-backports\|n=$suite" && return 0
	if [[ -f /etc/apt/sources.list.d/debian.sources ]]; then
		awk -v RS= -v suites="^Suites:.*[ \t]$release([ \t]|$)" -v suite="$suite" '
			!done { n = split($0, line, "\n"); ours = 0
				for (i = 1; i <= n; i++) if (line[i] ~ suites) { ours = 1; line[i] = "Suites: " suite }
				if (ours) { for (i = 1; i <= n; i++) if (line[i] !~ /^#/) print line[i]; done = 1 } }
		' /etc/apt/sources.list.d/debian.sources >/etc/apt/sources.list.d/fanfare-test-backports.sources
	elif [[ -f /etc/apt/sources.list ]]; then
		awk -v release="$release" -v suite="$suite" '
			!done && $1 == "deb" { for (i = 2; i <= NF; i++) if ($i == release) { $i = suite; print; done = 1 } }
		' /etc/apt/sources.list >/etc/apt/sources.list.d/fanfare-test-backports.list
	fi
	apt-get update -q >&2
}
has_valkey() { apt-get install --simulate -q valkey-server >/dev/null 2>&1; }
if [[ " ${missing[*]} " == *" valkey-server "* ]] && ! has_valkey; then
	apt-get update -q >&2 && has_valkey || add_backports || true # the installation says what is missing
fi

install() { apt-get install -y -q --no-install-recommends "${missing[@]}"; }
# Fresh images come without lists of packages, and old lists name packages that are gone.
install >&2 || { apt-get update -q >&2 && install >&2; } || fail "apt-get update && apt-get install -y ${missing[*]}"
