#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# usage: corpus.sh SOURCEDIR CORPUSDIR ABIBASE
#
# SOURCEDIR and ABIBASE: absolute, for the command is run in the directories of the cases.
#
# Gather the inputs that the fuzzers start from: the logs and documents of the cases, the shipped
# data, and baselines that the command makes. Documents are written without blanks, and large ones
# are left out or made of fewer features: a run takes as long as its input. Also what the messages
# in logs are made of, as a dictionary.
set -eu
src=$1
out=$2
abibase=$3
unset ABIBASE_PLATFORM_PATH XDG_CONFIG_HOME
most=16000

mkdir -p "$out/decode" "$out/profile" "$out/catalogue" "$out/baseline" "$out/guest" "$out/build" \
	"$out/domain" "$out/rehearsal" "$out/result"
few=$(mktemp -d)
trap 'rm -rf "$few"' EXIT

# name FILE: made of its path
name()
{
	f=${1#"$few"/}
	echo "${f#"$src"/}" | tr '/' '_'
}

# put KIND FILE: a document
put()
{
	to=$out/$1/$(name "$2")
	jq -c . "$2" > "$to"
	[ "$(wc -c < "$to")" -le $most ] || rm "$to"
}

put rehearsal "$src/tests/data/rehearsal/head.json"
# results: one machine type of each, whose words are short
for f in "$src"/data/rehearsals/*.json; do
	jq -c '.machines |= with_entries(select(.key | startswith("pc-q35-")) | .value |= map_values(
			if type == "object" then map_values(.[:20]) else . end))
		| .machines |= (to_entries | .[-1:] | from_entries)' "$f" > "$out/result/$(name "$f")"
done
# what a host has saved of specimens has no destination
jq -c 'del(.destination) | .machines |= map_values(.saved = .loads | del(.loads, .refused, .no_start))' \
	"$out/result/$(name "$f")" > "$out/result/saved"
jq -r '.specimens | keys[] | "\"\(.)\""' "$src/data/specimens.json" > "$out/result.dict"
printf '"%s"\n' absent blocked loads no_start not_tried refused saved >> "$out/result.dict"
for f in "$src"/tests/cases/decode/*/stdin; do
	cp "$f" "$out/decode/$(name "$f")"
done
for f in "$src"/tests/data/domains/*.xml "$src"/tests/cases/*/*/*.xml; do
	tr -s ' \n' ' ' < "$f" > "$out/domain/$(name "$f")"
done
# the words of domains, as a dictionary
cat "$src"/tests/data/domains/*.xml | grep -o "[<a-zA-Z:_/]\{3,\}" | sort -u | sed 's/.*/"&"/' > "$out/domain.dict"
# shellcheck disable=SC2016 # the dollar is jq's
sed -n 's/^ *"pattern": "\(.*\)",*$/\1/p' "$src/data/messages.json" |
	sed 's/{[a-z]*:[a-z]*}/\n/g' | sed -n 's/..*/"&"/p' | sort -u > "$out/decode.dict"

# a catalogue of two features with what these need, and few words
# shellcheck disable=SC2016
jq -c 'del(.["x-bit-names"], .backends["macvtap", "macvtap+vhost"])
	| .features |= map(select(.property == "csum" or .property == "host_uso")
		| del(.needs["macvtap", "macvtap+vhost"])
		| .sources |= map_values("x"))
	| .requirements |= (.[:1] | map(del(.needs["macvtap", "macvtap+vhost"])))
	| ([.features[].group] | unique) as $groups
	| .groups |= with_entries(select(.key | IN($groups[])))
	| ([.features, .backends, .requirements, .shapes | .. | strings]) as $used
	| .conditions |= with_entries(select(.key | IN($used[])))
	| walk(if type == "object"
		then with_entries(if (.key | IN("description", "remedy", "source", "sources",
			"text")) and (.value | type == "string") then .value = "x" else . end)
		else . end)' \
	"$src/data/catalogue.json" > "$few/catalogue.json"
cp "$src/data/facts.json" "$few"
jq -c '.errata |= map(del(.rows))' "$src/data/errata.json" > "$few/errata.json"
cp "$few/catalogue.json" "$out/catalogue"
# and some of the other data files
jq -c '.devices |= with_entries(select(.key | IN("virtio-balloon", "virtio-vsock")))
	| .transport.features |= .[:4]' "$src/data/devices.json" > "$out/catalogue/devices.json"
jq -c '.facts |= with_entries(select(.key | startswith("tap.")))' \
	"$src/data/facts.json" > "$out/catalogue/facts.json"
jq -c '.errata |= .[:2]' "$src/data/errata.json" > "$out/catalogue/errata.json"
jq -c '.messages |= .[:4]' "$src/data/messages.json" > "$out/catalogue/messages.json"

find "$src/data/platforms" "$src/tests/data/hosts" "$src/tests/cases" \
	\( -name '*.json' -o -name stdout \) |
	while read -r f; do
		case $(head -c 200 "$f") in
		*abibase-profile/*) put profile "$f" ;;
		*abibase-baseline/*) put baseline "$f" ;;
		*abibase-guest/*) put guest "$f" ;;
		*abibase-build/*) put build "$f" ;;
		esac
	done

# with few features: whatever the verdict, but for what is not about these
for f in "$src"/tests/cases/intersect/*/args; do
	(
		cd "${f%/args}"
		eval "set -- $(cat args)"
		ABIBASE_DATADIR=$few ABIBASE_PLATFORM_PATH=$src/data/platforms \
			"$abibase" "$@" --json 2>/dev/null
	) > "$few/$(basename "${f%/args}")" && status=0 || status=$?
	case $status in
	0 | 1 | 3) ;;
	2) continue ;;
	*) echo "corpus.sh: $f: exit status $status" >&2; exit 1 ;;
	esac
	put baseline "$few/$(basename "${f%/args}")"
done
