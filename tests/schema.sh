#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Hold every shipped and recorded document against its JSON Schema, see schema.py; and what the command
# prints for each case with --json, whatever the case prints.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
if ! python3 -c 'import jsonschema' 2> /dev/null; then
	echo "python3-jsonschema is not installed"
	[ "${ABIBASE_TEST_REQUIRE:-}" = 1 ] && exit 1
	exit 77
fi
export PYTHONDONTWRITEBYTECODE=1
if [ $# -gt 0 ]; then
	exec python3 "$here/schema.py" "$@"
fi
python3 "$here/schema.py"

: "${ABIBASE:=$PWD/abibase}" "${ABIBASE_DATADIR:=$here/../data}"
export ABIBASE_DATADIR
unset ABIBASE_PLATFORM_PATH XDG_CONFIG_HOME
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for case in "$here"/cases/*/*/; do
	out=$tmp/$(basename "$(dirname "$case")")-$(basename "$case").json
	input=/dev/null
	[ ! -e "$case/stdin" ] || input=$case/stdin
	json=--json
	case $case in
	*/merge/*) # it prints a profile, or nothing
		[ "$(cat "$case/status")" = 0 ] || continue
		json='' ;;
	esac
	(
		cd "$case"
		eval "set -- $(cat args)"
		exec "$ABIBASE" "$@" $json
	) < "$input" > "$out" 2> "$out.err" && status=0 || status=$?
	# of a guest that cannot be read, or be on these hosts, no document is made
	if { [ "$status" = 1 ] || [ "$status" = 3 ]; } && [ ! -s "$out" ] && grep -q "\[guest-" "$out.err"; then
		rm "$out"
		continue
	fi
	# several guests: each document is that of one
	if [ "$(grep -c '^{"schema"' "$out")" -gt 1 ]; then
		rm "$out"
		continue
	fi
	# what is refused prints nothing
	if [ "$status" = 2 ] && [ "$(cat "$case/status")" = 2 ]; then
		rm -f "$out"
		continue
	fi
	if [ "$status" = 2 ] || [ ! -s "$out" ]; then
		echo "$case: nothing is printed with --json, exit status $status"
		cat "$out.err"
		exit 1
	fi
done
"$ABIBASE" list --json > "$tmp/list.json"
"$ABIBASE" list --groups --json > "$tmp/groups.json"
python3 "$here/schema.py" "$tmp"/*.json
