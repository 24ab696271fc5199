# Sourced by the scripts: messages, parts with their seconds, the toolchain of a build.
# shellcheck shell=bash

if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'
else
	bold='' red='' plain=''
fi

say() { printf '%s\n' "$*" >&2; }

die() {
	printf '%serror:%s %s\n' "$red" "$plain" "$*" >&2
	exit 1
}

# part NAME COMMAND...: runs it under a heading and prints the seconds it took.
part() {
	local name=$1 began=$SECONDS status=0
	shift
	printf '%s== %s%s\n' "$bold" "$name" "$plain" >&2
	"$@" || status=$?
	say "-- $name: $((SECONDS - began)) s"
	return "$status"
}

# The toolchain for the runtime's wasm build, as scripts/setup found it.
load_toolchain() {
	# shellcheck disable=SC1091 # written by scripts/setup
	. target/toolchain.env
}

# The binaries, in the one profile and the one selection of packages that demo and tests share: nothing that either has
# built is built again by the other.
build_binaries() {
	cargo build --locked --workspace --bins
}
