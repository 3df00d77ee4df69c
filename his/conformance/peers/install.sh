#!/usr/bin/env bash
# Installs what `make conformance` runs: HAPI's FHIR server and validator (Java 17, Maven) and
# Medplum's router (Node 20). Everything goes to .cache/ of the checkout, Maven's own store
# included. Running it again costs nothing; two runs at once are safe.
set -euo pipefail

peers=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$peers/../../.." && pwd)
cache=$root/.cache
export npm_config_update_notifier=false

mkdir -p "$cache/peers" "$cache/stamps"
[ -e "$cache/.gitignore" ] || echo '*' >"$cache/.gitignore"
exec 9>"$cache/peers.lock"
flock 9

. "$root/e2e/tools/parts.sh"

install_hapi() {
	rm -rf "$cache/peers/hapi"
	mkdir -p "$cache/peers/hapi/classes"
	mvn -q -B -Dmaven.repo.local="$cache/m2" -f "$peers/hapi/pom.xml" \
		org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
		-DincludeScope=runtime -DoutputDirectory="$cache/peers/hapi/lib"
	javac --release 17 -nowarn -cp "$cache/peers/hapi/lib/*" -d "$cache/peers/hapi/classes" \
		"$peers"/hapi/src/main/java/nl/spreekkamer/*.java
}

install_medplum() {
	rm -rf "$cache/peers/medplum"
	mkdir -p "$cache/peers/medplum"
	cp "$peers"/medplum/{package.json,package-lock.json,.npmrc,server.mjs} "$cache/peers/medplum/"
	(cd "$cache/peers/medplum" && npm ci --ignore-scripts)
}

need java "Java 17 or later"
need javac "a JDK, 17 or later"
need mvn "Maven 3.8 or later"
need node "Node 20 or later"
need npm "npm, which comes with Node"

part hapi "HAPI FHIR server and validator" "javac --version" install_hapi \
	"$peers/hapi/pom.xml" "$peers"/hapi/src/main/java/nl/spreekkamer/*.java
part medplum "Medplum router" "node --version" install_medplum \
	"$peers/medplum/package.json" "$peers/medplum/package-lock.json" "$peers/medplum/server.mjs"
