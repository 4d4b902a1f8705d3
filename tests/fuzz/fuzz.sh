#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# usage: FUZZ_FLAGS=... fuzz.sh TARGET
#
# Run a target of "make fuzz" and print one line: what libFuzzer counted. All that it says is in
# fuzz/TARGET.log. Where the target fails its end is printed; the input is in fuzz/ too.
target=$1
dict=fuzz/corpus/$target.dict
status=0

[ ! -e "$dict" ] || FUZZ_FLAGS="-dict=$dict $FUZZ_FLAGS"
# shellcheck disable=SC2086 # FUZZ_FLAGS are words
fuzz/fuzz-"$target" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
	-artifact_prefix="fuzz/$target-" $FUZZ_FLAGS "fuzz/corpus/$target" > "fuzz/$target.log" 2>&1 ||
	status=$?
echo "$target: exit status $status, $(sed -n 's/^stat::number_of_executed_units: *//p' \
	"fuzz/$target.log") runs; $(sed -n 's/^#.*DONE *//p' "fuzz/$target.log")"
[ $status = 0 ] && exit 0
tail -n 60 "fuzz/$target.log"
exit 1
