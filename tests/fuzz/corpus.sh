#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# usage: corpus.sh SOURCEDIR CORPUSDIR ABIBASE
#
# Gather the inputs that the fuzzers start from: the cases, the shipped data, the documents that
# the cases expect, and baselines that the command makes.
set -eu
src=$1
out=$2
abibase=$3
ABIBASE_DATADIR=$src/data
export ABIBASE_DATADIR
unset ABIBASE_PLATFORM_PATH XDG_CONFIG_HOME

mkdir -p "$out/decode" "$out/profile" "$out/catalogue" "$out/baseline" "$out/guest"

# put KIND FILE: under a name made of its path
put()
{
	cp "$2" "$out/$1/$(echo "${2#"$src"/}" | tr '/' '_')"
}

for f in "$src"/tests/cases/decode/*/stdin; do
	put decode "$f"
done
for f in "$src"/data/catalogue.json "$src"/data/devices.json "$src"/data/facts.json \
	"$src"/data/messages.json; do
	put catalogue "$f"
done
find "$src/data/platforms" "$src/tests/data/hosts" "$src/tests/cases" \
	\( -name '*.json' -o -name stdout \) |
	while read -r f; do
		case $(head -c 200 "$f") in
		*abibase-profile/*) put profile "$f" ;;
		*abibase-baseline/*) put baseline "$f" ;;
		*abibase-guest/*) put guest "$f" ;;
		esac
	done

# baseline NAME WORD...: whatever the verdict
baseline()
{
	name=$1
	shift
	"$abibase" intersect --json -o "$out/baseline/$name" "$@" 2>/dev/null || [ $? != 2 ]
}
baseline common -M pc-q35-7.2 debian-12 debian-13
baseline one debian-12
baseline three debian-11 debian-12 debian-13
baseline tap -M pc-i440fx-7.2 --backend tap --disable offload-uso debian-12 debian-13
