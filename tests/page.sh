#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Answers for people are pages: of all cases the texts on stdout, and stderr beside a list, and the help
# of each verb. No line is wider than 80 columns unless it is one word that cannot be broken, behind a
# label; the first line has the verdict; the last ones say what was looked at, what was not, and what to
# ask next. A page that is spoilt is told from one that is not.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

# wide FILE [COLUMNS]: its lines of more than 80 columns, or so many, that could have been broken
wide()
{
	awk -v most="${2:-80}" 'length > most {
		line = $0
		sub(/^ *([a-z-]+  +)?/, "", line)
		if (line ~ / / && line !~ /^-global /)
			print FILENAME ":" FNR ": " length ": " $0
	}' "$1"
}

# closed FILE: are the two closing sentences at its end?
closed()
{
	tail -n 2 "$1" | grep -q '^See: abibase [a-z]' &&
		tr -s '\n ' ' ' < "$1" | grep -q 'Looked at: .*; not looked at: .* See: abibase [^:]*$'
}

# page FILE [COLUMNS]: print what is wrong with it
page()
{
	head -n 1 "$1" | grep -Eq '^(yes|no|cannot tell)\b' || echo "$1: no verdict in the first line"
	closed "$1" || echo "$1: what was looked at, and what to see, is not at the end"
	wide "$1" "${2:-80}"
}

# Errors, and what is said of operands, come before the page.
without_errors()
{
	grep -v -e '^abibase: ' -e '^Try ' "$1"
}

# faulty WORDS: what is wrong, if anything
faulty()
{
	[ -z "$1" ] || fail "$(echo "$1" | head -n 20)"
}

n=0
for args in "$src"/tests/cases/*/*/args; do
	dir=${args%/args}
	verb=$(basename "$(dirname "$dir")")
	case $(cat "$args") in *--json* | *format=json* | *'-f json'* | *--machines* | *' -q'*) continue ;; esac
	case $verb in
	check | decode | explain | diff | match | matrix | plan | targets | validate) file=$dir/stdout ;;
	intersect | merge) file=$dir/stderr ;;
	*) continue ;;
	esac
	case $(cat "$args") in *'-f text'*) file=$dir/stdout ;; esac
	[ "$(cat "$dir/status")" = 2 ] && continue
	without_errors "$file" > "$tmp/page"
	# of several answers each is one, behind the name of what it is about
	grep -q '^$' "$tmp/page" && head -n 1 "$tmp/page" | grep -Eqv '^(yes|no|cannot tell)\b' &&
		sed -i '1,2d' "$tmp/page"
	[ -s "$tmp/page" ] || continue
	faulty "$(page "$tmp/page" | sed "s,^$tmp/page,$verb/$(basename "$dir"),")"
	n=$((n + 1))
done
[ "$n" -gt 200 ] || fail "no more than $n pages"

# What has no verdict: a document as it is, and a table.
for words in 'list' 'list --groups' 'show debian-13' 'show rhel-9' \
	"show $(ls "$src"/data/builds/*.json | head -n 1)"; do
	eval "\"\$abibase\" $words" > "$tmp/text" || fail "$words"
	faulty "$(wide "$tmp/text")"
	[ "$words" = 'list --groups' ] || tail -n 1 "$tmp/text" | grep -q '^See: abibase ' ||
		fail "$words: nothing to see next"
	n=$((n + 1))
done

# What a probe finds, whatever this machine is
"$abibase" probe --no-qemu --report > "$tmp/text" 2> /dev/null || fail "probe --report exits $?"
faulty "$(page "$tmp/text")"

# The same on a terminal of another width: the page is laid out when it is asked for.
columns=50
m=0
for args in "$src"/tests/cases/{check,explain,diff,match,plan,targets}/*/args; do
	dir=${args%/args}
	case $dir in */*[aeim]) ;; *) continue ;; esac # a fourth of them are enough
	case $(cat "$args") in *--json* | *format* | *--machines* | *' -'[oqf]*) continue ;; esac
	[ "$(cat "$dir/status")" = 2 ] || [ -e "$dir/stdin" ] && continue
	command -v script > /dev/null || break
	(
		cd "$dir" || exit 99
		eval "set -- $(cat args)"
		COLUMNS=$columns NO_COLOR=1 TERM=xterm script -qec \
			"$(printf '%q ' "$abibase" "$@" -v) 2> /dev/null" /dev/null < /dev/null
	) | tr -d '\r' > "$tmp/page"
	grep -q '^$' "$tmp/page" && continue # several answers
	faulty "$(page "$tmp/page" $columns | sed "s,^$tmp/page,$(basename "$(dirname "$dir")")/$(basename "$dir") at $columns,")"
	m=$((m + 1))
done
[ "$m" -gt 20 ] || ! command -v script > /dev/null || fail "no more than $m pages of $columns columns"

verbs=$("$abibase" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p')
[ -n "$verbs" ] || fail "abibase --help names no verb"
for verb in $verbs; do
	"$abibase" "$verb" --help > "$tmp/help" || fail "$verb --help"
	faulty "$(awk -v v="$verb" 'length > 80 { print v " --help:" FNR ": " length ": " $0 }' "$tmp/help")"
	n=$((n + 1))
done

# It can fail.
page=$src/tests/cases/check/ac02-satisfied/stdout
faulty "$(page "$page")"
sed 1d "$page" > "$tmp/headless"
grep -v '^See: ' "$page" > "$tmp/endless"
{ cat "$page" && seq -s ' ' 40; } > "$tmp/wide"
[ -n "$(wide "$page" 50)" ] || fail "a page of 80 columns is not too wide for 50"
for file in headless endless wide; do
	[ -n "$(page "$tmp/$file")" ] || fail "a page that is $file is not told from a good one"
done
echo "$n pages, $failures faults"
[ "$failures" = 0 ]
