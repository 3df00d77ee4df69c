#!/usr/bin/env bash
# Installs what the end-to-end tests, the demo and `make play` run against: the homeservers
# (Dendrite, Synapse), PostgreSQL, the independent client's library, the virus scanner and the
# linter.
#
# Everything goes to .cache/ of the checkout; nothing is put on the system. It needs Go, a C
# compiler, Node 20 or later, Python 3.10 or later, and the package registries of the three.
# Running it again costs nothing: each part is skipped when what it is made from is unchanged.
# Two runs at once are safe: the second waits for the first.
set -euo pipefail

tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$tools/../.." && pwd)
cache=$root/.cache
export GOWORK=off PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 npm_config_update_notifier=false

mkdir -p "$cache/bin" "$cache/stamps"
[ -e "$cache/.gitignore" ] || echo '*' >"$cache/.gitignore"
exec 9>"$cache/install.lock"
flock 9

. "$tools/parts.sh"

install_dendrite() {
	go build -C "$tools/dendrite" -mod=readonly -trimpath -o "$cache/bin/" \
		github.com/element-hq/dendrite/cmd/dendrite \
		github.com/element-hq/dendrite/cmd/generate-keys \
		github.com/element-hq/dendrite/cmd/create-account
}

install_lint() {
	go build -C "$tools/lint" -mod=readonly -trimpath -o "$cache/bin/" honnef.co/go/tools/cmd/staticcheck
}

# The pins are complete, so nothing is resolved: what is not in the file is not installed.
install_python() {
	rm -rf "$cache/venv"
	python3 -m venv "$cache/venv"
	"$cache/venv/bin/python" -m pip install --no-deps -r "$tools/requirements.txt"
	"$cache/venv/bin/python" -m pip check
}

install_node() {
	mkdir -p "$cache/node"
	cp "$tools/node/package.json" "$tools/node/package-lock.json" "$tools/node/.npmrc" "$cache/node/"
	npm ci --prefix "$cache/node" --ignore-scripts
}

# ClamAV is in no registry of a language: it comes from the packages of Debian or Ubuntu, which are
# unpacked into .cache and not installed. Of what it needs, only what the machine lacks is taken.
install_clamav() {
	local apt=$cache/clamav-apt libraries options=()
	rm -rf "$cache/clamav" "$apt"
	mkdir -p "$cache/clamav" "$apt/lists/partial" "$apt/archives/partial"
	if ! apt-cache show clamav-daemon >/dev/null 2>&1; then # this machine has no lists: get our own
		options=(-o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt" -o APT::Sandbox::User=)
		apt-get "${options[@]}" update
	fi
	apt-get "${options[@]}" --simulate --no-install-recommends install clamav-daemon |
		awk '$1 == "Inst" && $2 ~ /^(lib|clamav-daemon)/ { print $2 }' >"$apt/packages"
	(cd "$apt" && xargs apt-get "${options[@]}" -o APT::Sandbox::User= download <packages)
	for package in "$apt"/*.deb; do dpkg-deb -x "$package" "$cache/clamav"; done
	libraries=$(dirname "$(find "$cache/clamav" -name 'libclamav.so.*' -print -quit)")
	# The path from the script itself, so that the checkout can be moved.
	printf '%s\n' '#!/bin/sh' 'cache=$(cd "$(dirname "$0")/.." && pwd)' \
		"LD_LIBRARY_PATH=\"\$cache/${libraries#"$cache"/}\" exec \"\$cache/clamav/usr/sbin/clamd\" \"\$@\"" >"$cache/bin/clamd"
	chmod +x "$cache/bin/clamd"
	"$cache/bin/clamd" --config-file=/dev/null --version # all its libraries are there
	rm -rf "$apt"
}

need go "Go 1.26 or later"
need node "Node 20 or later"
need npm "npm, which comes with Node"
need python3 "Python 3.10 or later"

part node "Matrix client library" "node --version" install_node \
	"$tools/node/package.json" "$tools/node/package-lock.json"
part python "Synapse and PostgreSQL" "python3 --version" install_python "$tools/requirements.txt"
part dendrite "Dendrite" "go version" install_dendrite "$tools/dendrite/go.mod" "$tools/dendrite/go.sum"
part lint "staticcheck" "go version" install_lint "$tools/lint/go.mod" "$tools/lint/go.sum"
if command -v clamd >/dev/null; then
	echo "Virus scanner: the one of this machine"
elif command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
	part clamav "Virus scanner" "dpkg --print-architecture" install_clamav /etc/os-release
else
	echo "install.sh: clamd is missing, and there is no apt-get to get it with: install ClamAV (its" \
		"daemon), otherwise the tests of the virus scanner fail; nothing else needs it" >&2
fi
