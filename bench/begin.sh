# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the benchmarks begin with; to be sourced from one in this directory: all of tests/begin.sh, and
#
#   ABIBASE, emulator   the programs themselves and not libtool's scripts around them, whose start-up would be
#                       measured too
#   dir                 a directory that goes at the end
#   tools, bench        where the programs of the benchmarks are, and their scripts
#   row ID FIGURE [OTHER [ABOUT [MOST]]]
#                       print a figure, and keep it: see page
#   cpu NAME, wall NAME, peak NAME
#                       of this command, in the file times that the runner wrote
#   cpu_ratio NAME, wall_ratio NAME
#                       the same, to the first of that run
#   figure FORMULA      its value
#   alike N DIRECTORY FILE...
#                       profiles of N hosts that answer as one of the FILEs does, under names of their own
# shellcheck disable=SC2034,SC2154
# shellcheck source=tests/begin.sh
. "$top_srcdir/tests/begin.sh"

unwrap
ABIBASE=$abibase
emulator=${abibase%/*}/abibase-emulator
tools=$build/bench
bench=$src/bench
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM

row() {
	"$bench/page" row "$@"
}

field() {
	awk -F '\t' -v name="$1" -v field="$2" '$1 == name { print $field }' "$dir/times"
}
wall() {
	field "$1" 2
}
cpu() {
	field "$1" 3
}
peak() {
	field "$1" 4
}
wall_ratio() {
	field "$1" 5
}
cpu_ratio() {
	field "$1" 6
}

figure() {
	awk "BEGIN { printf \"%.4f\", $1 }"
}

alike() {
	number=$1 to=$2
	shift 2
	mkdir "$to"
	awk -v n="$number" -v to="$to" '
		FNR == 1 { k++ }
		{ text[k] = text[k] $0 "\n" }
		END {
			for (i = 0; i < n; i++) {
				out = sprintf("%s/node-%05d.json", to, i)
				t = text[i % k + 1]
				sub(/"name": "host-/, sprintf("\"name\": \"node-%05d-", i), t)
				printf "%s", t > out
				close(out)
			}
		}' "$@"
}
