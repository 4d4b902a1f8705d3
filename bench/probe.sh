#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# How long `abibase probe` takes for one QEMU, against the start-up of that QEMU in the same rounds. Run
# by `make bench`; README.md says what is measured. It prints, and judges nothing. The QEMUs are those of
# tests/fetch-qemus, and this host's for what is cached; those that are missing are left out.
#
# BENCH_PROBE_ROUNDS: other than the usual number.
# shellcheck disable=SC2154
set -eu
# shellcheck source=bench/begin.sh
. "${0%/*}/begin.sh"
# shellcheck source=tests/begin-rehearsal.sh
. "$top_srcdir/tests/begin-rehearsal.sh"

rounds=${BENCH_PROBE_ROUNDS:-3}
runner=$tools/runner

XDG_CACHE_HOME=$dir/cache
export XDG_CACHE_HOME

# Its start-up: as it is asked, up to the end of what it says.
cat > "$dir/start-up" <<'END'
#!/bin/sh
printf '{"execute":"qmp_capabilities"}\n{"execute":"quit"}\n' |
	"$1" -nodefaults -no-user-config -display none -machine none,accel=tcg:kvm -qmp stdio
END
chmod +x "$dir/start-up"

printf '\nprobes; median of %s rounds\n' "$rounds"
for suite in bullseye bookworm trixie trixie-backports; do
	[ -x "$qemus/$suite/usr/bin/qemu-system-x86_64" ] || continue
	# which has a dir of its own
	(qemu_script "$suite" "$dir/qemu-$suite")
	"$ABIBASE" probe --only=qemu --no-cache --qemu="$dir/qemu-$suite" -o "$dir/host.json"
	about="QEMU $(jq -r '.qemu[0] | "\(.version), \(.values | length) machine types"' "$dir/host.json")"
	limit=$(jq -r '.qemu[0] | (.version | split(".") | map(tonumber)) as $v
		| if $v >= [9, 1] then 3 else (.values | length) + 3 end' "$dir/host.json")
	"$runner" "$rounds" start-up "$dir/start-up" "$dir/qemu-$suite" + \
		probe "$ABIBASE" probe --only=qemu --no-cache --no-observe --qemu="$dir/qemu-$suite" + \
		sizes "$ABIBASE" probe --only=qemu --no-cache --qemu="$dir/qemu-$suite" > "$dir/times"
	row probe "$(wall_ratio probe)" "$(cpu_ratio probe)" "$about" "$limit"
	row probe-sizes "$(wall_ratio sizes)" "$(cpu_ratio sizes)" "$about"
done

if [ -x /usr/bin/qemu-system-x86_64 ]; then
	"$runner" "$rounds" full "$ABIBASE" probe --no-cache --qemu=/usr/bin/qemu-system-x86_64 + \
		cached "$ABIBASE" probe --qemu=/usr/bin/qemu-system-x86_64 > "$dir/times" 2> "$dir/err" ||
		cat "$dir/err" >&2
	row probe-cached "$(wall_ratio cached)" "$(cpu_ratio cached)"
fi
