#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Commit messages, from the one on that this rule came with: a subject of at most 72 characters that does
# not end with a full stop, an empty line, and a body that says why.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

since=6596ecaabcad330c69a42566209e8ec6971b59d4
# a tarball has no history, and that is no fault
[ -e "$src/.git" ] || { echo "SKIP: not a git checkout"; exit 77; }
need git
git() { command git -c safe.directory='*' -C "$src" "$@"; }
# a shallow clone may begin later
range=HEAD
if git cat-file -e "$since^{commit}" 2> /dev/null; then range=$since..HEAD; fi

failed=0
for commit in $(git rev-list --no-merges "$range"); do
	subject=$(git log -1 --format=%s "$commit")
	body=$(git log -1 --format=%b "$commit")
	say()
	{
		echo "FAIL: $(git log -1 --format='%h %s' "$commit"): $*"
		failed=1
	}
	[ "$(printf %s "$subject" | wc -m)" -le 72 ] || say "the subject is longer than 72 characters"
	case $subject in *.) say "the subject ends with a full stop" ;; esac
	[ -n "$body" ] || say "there is no body that says why"
done
exit $failed
