#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# How much a start of QEMU takes longer under abibase exec, and how long many starts at once take under
# abibase-emulator, and a verdict of abibase rehearse, against plain ones in the same rounds. Run by `make bench`; README.md says what is
# measured. It prints, and judges nothing. The QEMU is this host's, or ABIBASE_BENCH_QEMU.
#
# BENCH_STARTS, BENCH_START_ROUNDS, BENCH_EXEC_ROUNDS, BENCH_EXEC_HOSTS: other than the usual numbers.
# shellcheck disable=SC2154
set -eu
# shellcheck source=bench/begin.sh
. "${0%/*}/begin.sh"

starts=${BENCH_STARTS:-100}
rounds=${BENCH_START_ROUNDS:-5}
exec_rounds=${BENCH_EXEC_ROUNDS:-21}
hosts=${BENCH_EXEC_HOSTS:-10000}
qemu=${ABIBASE_BENCH_QEMU:-/usr/bin/qemu-system-x86_64}
runner=$tools/runner

if [ ! -x "$qemu" ]; then
	echo "starts.sh: no $qemu" >&2
	exit 0
fi
export XDG_CACHE_HOME="$dir/cache" ABIBASE_EMULATOR_CONF="$dir/emulator.conf"

# A host as the unit records it, with all that its QEMU says, and three baselines to choose from.
"$ABIBASE" probe --qemu="$qemu" -o "$dir/host.json" 2> "$dir/err" || {
	cat "$dir/err" >&2
	exit 1
}
mkdir "$dir/baselines"
machines=$(jq -r '.qemu[0].values | keys[] | select(startswith("pc-q35-"))' "$dir/host.json" |
	sort -V | tail -n 3)
for machine in $machines; do
	"$ABIBASE" intersect --json --no-inputs --backend tap -M "$machine" "$dir/host.json" \
		-o "$dir/baselines/$machine.json" 2> "$dir/err" || {
		echo "starts.sh: this host has no baseline for tap:" >&2
		cat "$dir/err" >&2
		exit 0
	}
done
# One guest, which asks this host itself, under baselines of as many hosts like it.
for n in 10 "$hosts"; do
	jq -c . "$dir/host.json" | awk -v n="$n" '{
		at = match($0, /"name":"[^"]*"/)
		for (i = 0; i < n; i++)
			printf "%s\"name\":\"node-%d\"%s\n", substr($0, 1, at - 1), i, substr($0, at + RLENGTH)
	}' > "$dir/hosts.ndjson"
	"$ABIBASE" intersect --json --no-inputs --backend tap -M "$machine" -o "$dir/$n.json" "$dir/hosts.ndjson"
done
rm "$dir/hosts.ndjson"
"$runner" "$exec_rounds" plain "$qemu" -M "$machine" -version + \
	"exec, few" "$ABIBASE" exec "$dir/10.json" -- "$qemu" -M "$machine" -version + \
	"exec, many" "$ABIBASE" exec "$dir/$hosts.json" -- "$qemu" -M "$machine" -version > "$dir/times"
printf '\nstarts of %s; median of %s rounds\n' "$("$qemu" --version | head -n 1)" "$exec_rounds"
for what in few many; do
	row "exec-$what" "$(figure "$(wall_ratio "exec, $what") - 1")" "$(figure "$(cpu_ratio "exec, $what") - 1")"
done

cat > "$dir/emulator.conf" << END
baseline = $dir/baselines
qemu = $qemu
profile = $dir/host.json
END

# Up to the end of what QEMU does before the first instruction of the guest.
cat > "$dir/many" << 'END'
#!/bin/sh
n=$1
shift
pids=''
while [ "$n" -gt 0 ]; do
	printf '{"execute":"qmp_capabilities"}\n{"execute":"quit"}\n' |
		"$@" -accel tcg -m 64 -nodefaults -display none -S -qmp stdio \
			-netdev hubport,hubid=0,id=n -device virtio-net-pci,netdev=n &
	pids="$pids $!"
	n=$((n - 1))
done
for pid in $pids; do
	wait "$pid" || exit 1
done
END
chmod +x "$dir/many"
"$runner" "$rounds" plain "$dir/many" "$starts" "$qemu" -M "$machine" + \
	emulator "$dir/many" "$starts" "$emulator" -M "$machine" > "$dir/times"
row starts "$(wall_ratio emulator)" "$(cpu_ratio emulator)"

# A verdict on one line, saved and loaded, against two starts of it up to the same point.
set -- -M "$machine" -accel tcg -m 64 -nodefaults -display none -device pcie-root-port,id=root \
	-drive if=none,id=disk,format=raw,file=null-co:// -device virtio-blk-pci,drive=disk,bus=root \
	-netdev hubport,hubid=0,id=net -device virtio-net-pci,netdev=net
cat > "$dir/twice" << 'END'
#!/bin/sh
for start in 1 2; do
	printf '{"execute":"qmp_capabilities"}\n{"execute":"quit"}\n' | "$@" -S -qmp stdio || exit 1
done
END
chmod +x "$dir/twice"
"$runner" "$exec_rounds" twice "$dir/twice" "$qemu" "$@" + \
	rehearse "$ABIBASE" rehearse -q --save="$dir/file" --load="$dir/file" -- "$qemu" "$@" > "$dir/times"
row rehearse "$(cpu_ratio rehearse)" "$(wall_ratio rehearse)"
