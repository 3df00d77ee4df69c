# What the scripts that install things for tests share. Sourced, with $cache set.

# need names the program that is missing instead of failing somewhere inside.
need() {
	command -v "$1" >/dev/null || { echo "install.sh: $1 is missing: install $2" >&2; exit 1; }
}

# part NAME DESCRIPTION VERSION-COMMAND INSTALLER FILE...: runs the installer unless the stamp
# tells that the same files were installed by the same version of the toolchain.
part() {
	local name=$1 what=$2 version=$3 installer=$4 stamp=$cache/stamps/$1 want started=$SECONDS
	shift 4
	want=$( ($version; declare -f "$installer"; cat -- "$@") | sha256sum | cut -d ' ' -f 1)
	if [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
		echo "$what: up to date"
		return
	fi
	rm -f "$stamp"
	# Not in a condition, so that set -e holds inside; the log is shown only when it fails.
	# Filled in now: at the exit these names are gone.
	trap "echo 'install.sh: $what failed:' >&2; tail -n 40 '$cache/$name.log' >&2" EXIT
	"$installer" >"$cache/$name.log" 2>&1
	trap - EXIT
	echo "$want" >"$stamp"
	echo "$what: installed in $((SECONDS - started)) s"
}
