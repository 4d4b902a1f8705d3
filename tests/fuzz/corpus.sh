#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# usage: corpus.sh SOURCEDIR CORPUSDIR
#
# Gather the inputs that the fuzzers start from: the cases, the shipped data, and the documents
# that the cases expect.
set -eu
src=$1
out=$2

mkdir -p "$out/decode" "$out/profile" "$out/catalogue" "$out/baseline"

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
find "$src/data/platforms" "$src/tests/data/hosts" "$src/tests/cases" -name '*.json' |
	while read -r f; do
		case $(head -c 200 "$f") in
		*abibase-profile/*) put profile "$f" ;;
		*abibase-baseline/*) put baseline "$f" ;;
		esac
	done
