#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# abibase-profile.service: as closed as it can be, and its profile is that of a plain probe by root, fact by
# fact. abibase-check.service: as closed, sees what root sees, and says what changed under the record. There is
# no systemd in a test: tests/tools/like-unit.py restricts a process as the unit says.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need python3 jq systemd-analyze unshare mount setpriv
case $(uname -m) in x86_64 | aarch64) ;; *) skip "the filter of system calls is for other machines" ;; esac
[ "$(id -u)" = 0 ] || skip "needs root"
unshare -mn true || skip "no namespaces can be made here"
${CC:-cc} -E -x c /dev/null > /dev/null || skip "needs a C compiler"

tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
unwrap
unit=$build/data/abibase-profile.service
check=$build/data/abibase-check.service
if [ ! -e "$unit" ]; then
	echo "SKIP: this build has no unit"
	exit 77
fi

# like UNIT COMMAND...: without a search for leaks in a build that has one, which wants ptrace
like()
{
	(
		file=$1
		shift
		ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
		export ASAN_OPTIONS
		exec python3 "$src/tests/tools/like-unit.py" "$file" "$tmp/state" -- "$@"
	)
}

# ------------------------------------------------------------------------ how closed

# Debian 11 has no --offline.
if systemd-analyze --help | grep -q -e --offline; then
	for file in "$unit" "$check"; do
		systemd-analyze security --offline=yes --threshold=30 "$file" > "$tmp/security" 2>&1 ||
			fail "the unit is more open than 3.0: $(grep Overall "$tmp/security")"
		grep Overall "$tmp/security"
	done
	# The check runs where there are baselines, or a configuration that says where they are.
	conditions=$(sed -n "s,^\(Condition[A-Za-z]*=|*\).*/abibase/,\1$tmp/etc/,p" "$check")
	runs()
	{
		# shellcheck disable=SC2086
		systemd-analyze condition $conditions > "$tmp/out" 2>&1
	}
	mkdir -p "$tmp/etc/baselines"
	runs && fail "the check runs on a host without baselines: $(cat "$tmp/out")"
	touch "$tmp/etc/emulator.conf"
	runs || fail "the check does not run on a host with a configuration: $(cat "$tmp/out")"
	mv "$tmp/etc/emulator.conf" "$tmp/etc/baselines/a.json"
	runs || fail "the check does not run on a host with baselines: $(cat "$tmp/out")"
fi
grep -q '^MemoryDenyWriteExecute=' "$unit" && fail "TCG cannot run"

# What the profile is made with is closed indeed.
mkdir "$tmp/state"
like "$unit" sh -c '
	grep -E "^(CapBnd|NoNewPrivs|Seccomp):" /proc/self/status | tr -s "\t" " "
	cd "$1" || exit
	refused() { "$@" 2> /dev/null && echo "not refused: $*"; }
	refused unshare -U true
	refused unshare -m true
	refused mount -t tmpfs none /mnt
	refused touch /usr/abibase-test
	refused touch "$1/../beside"
	refused sh -c "echo 1 > /proc/sys/vm/overcommit_memory"
	refused mknod node c 1 1
	refused test -e /dev/mem
	refused chmod u+s "$1"
	refused chroot / true
	refused nsenter -t 1 -n true
	touch inside && unshare -n true && unshare -p --fork true && head -n 1 /proc/misc > /dev/null
	echo $?
' sh "$tmp/state" > "$tmp/out" 2> "$tmp/err" || fail "like-unit: $(cat "$tmp/err")"
printf '%s\n' 'CapBnd: 0000008000201002' 'NoNewPrivs: 1' 'Seccomp: 2' 0 > "$tmp/want"
diff -u "$tmp/want" "$tmp/out" || fail "a process is not restricted as the unit says"

# ------------------------------------------------------------------ the same profile

# Beside the QEMUs of this machine those of Debian's releases, each run by its own loader
set --
for root in "$qemus"/*; do
	[ -x "$root/usr/bin/qemu-system-x86_64" ] && [ "$(uname -m)" = x86_64 ] || continue
	libraries=$root/usr/lib/x86_64-linux-gnu
	wrapper=$tmp/state/qemu-${root##*/}
	cat > "$wrapper" <<-END
		#!/bin/sh
		QEMU_MODULE_DIR=$libraries/qemu exec "$(ls "$libraries"/ld-linux-x86-64.so.2 "$libraries"/ld-2.*.so |
			head -n 1)" --library-path "$libraries" "$root/usr/bin/qemu-system-x86_64" \\
			-L "$root/usr/share/qemu" -L "$root/usr/share/seabios" "\$@"
	END
	chmod +x "$wrapper"
	set -- "$@" --qemu="$wrapper"
done 2> /dev/null
export ABIBASE_QEMUS="$qemus" XDG_CACHE_HOME="$tmp/state/cache"

# parts FILE: all of a profile but with which rights it was made
parts()
{
	python3 -c '
import json, sys
profile = json.load(open(sys.argv[1]))
del profile["probe"]
print(json.dumps(profile, indent=1, sort_keys=True))' "$1"
}

# same NAME OPTION...: a plain probe and one like the unit's give the same
same()
{
	name=$1
	shift
	"$abibase" probe "$@" -o "$tmp/plain" 2> "$tmp/plain.err" || fail "probe: $(cat "$tmp/plain.err")"
	rm -rf "$XDG_CACHE_HOME"
	like "$unit" "$abibase" probe "$@" -o "$tmp/state/host.json" 2> "$tmp/unit.err" ||
		fail "probe like the unit: $(cat "$tmp/unit.err")"
	rm -rf "$XDG_CACHE_HOME"
	parts "$tmp/plain" > "$tmp/want"
	parts "$tmp/state/host.json" > "$tmp/got"
	diff -u "$tmp/want" "$tmp/got" || fail "$name: the unit's profile is another one"
	# the line of what was found begins with the file
	sed -i "s,^$tmp/plain: ,$tmp/state/host.json: ," "$tmp/plain.err"
	grep -v '^like-unit: ' "$tmp/unit.err" | diff -u "$tmp/plain.err" - || fail "$name: the probe says something else in the unit"
	echo "$name: $(grep -c '"path"' "$tmp/want") QEMUs," \
		"$(sed -n '/^ "facts"/,/^ }/p' "$tmp/want" | grep -c '^  "') facts"
}

same "as it is" --name=host
same "QEMUs of releases" --name=host "$@"
same "with build records" --name=host --builds="$tmp/state/builds"
same "observed" --name=host --observe -M q35 "$@"

# ---------------------------------------------------------------- what the timer starts

# the command of the unit, with the programs and directories of this test
command=$(sed -n "s/^ExecStart=//p" "$check" |
	sed -e "s,$(sed -n 's/^ExecStartPre=\([^ ]*\) .*/\1/p' "$check"),$abibase," -e "s,%S/abibase,$tmp/record," \
		-e "s,%t/abibase-check,$tmp/state," -e 's/\$\$/$/g')
mkdir "$tmp/record" "$tmp/baselines"
cp "$(command -v sleep)" "$tmp/qemu-system-x86_64"
chmod 755 "$tmp"
id=b1-0123456789abcdef0123456789abcdef
ABIBASE_BASELINE=$id setpriv --reuid 65534 --regid 65534 --clear-groups "$tmp/qemu-system-x86_64" 300 &
sleeper=$!
trap 'kill $sleeper; rm -rf "$tmp"' EXIT
# started by the timer: what is asked now beside what was recorded
timer()
{
	like "$check" "$abibase" probe --no-qemu --name=host -o "$tmp/state/now.json" 2> /dev/null ||
		fail "a probe like the timer's"
	like "$check" sh -c "$command" > "$tmp/out" 2> "$tmp/err"
}
"$abibase" probe --no-qemu --name=host -o "$tmp/record/host.json" 2> /dev/null
printf '%s\n' "baseline = $tmp/baselines" "qemu = $tmp/qemu-system-x86_64" \
	"profile = $tmp/record/host.json" > "$tmp/emulator.conf"
export ABIBASE_EMULATOR_CONF="$tmp/emulator.conf"
like "$check" "$abibase" check --json 2> "$tmp/err" |
	jq -r '.guests[] | select(.pid == '$sleeper') | .baseline' > "$tmp/out"
[ "$(cat "$tmp/out")" = $id ] || fail "the unit does not see under what the QEMU of another user runs: $(cat "$tmp/err")"
timer
grep -q '^yes: ' "$tmp/out" || fail "a host that is as recorded: $(cat "$tmp/out" "$tmp/err")"
tr -s ' \n' ' ' < "$tmp/out" | grep -q "no file of the baseline $id is there" ||
	fail "the check of the timer: $(cat "$tmp/out")"
jq '.facts["tap.offload.uso"] |= (. != true)' "$tmp/record/host.json" > "$tmp/other.json"
mv "$tmp/other.json" "$tmp/record/host.json"
timer && fail 'a host that is not as recorded: the unit does not fail'
grep -q 'tap.offload.uso' "$tmp/out" || fail "what changed is not said: $(cat "$tmp/out")"
kill $sleeper
trap 'rm -rf "$tmp"' EXIT
unset ABIBASE_EMULATOR_CONF

# It would be seen: without bpf(2) in the filter a fact is another one.
sed '/^SystemCallFilter=@/s/ bpf$//' "$unit" > "$tmp/closed.service"
like "$tmp/closed.service" "$abibase" probe --no-qemu --name=host -o "$tmp/state/host.json" 2> /dev/null
"$abibase" probe --no-qemu --name=host -o "$tmp/plain" 2> /dev/null
parts "$tmp/plain" > "$tmp/want"
if grep -q '"host.ebpf_rss": true' "$tmp/want"; then
	parts "$tmp/state/host.json" | cmp -s - "$tmp/want" && fail "what the unit says is not done"
fi

ls /dev/net/tun /dev/vhost-net /dev/vhost-vsock > /dev/null 2> "$tmp/err" || {
	echo "not compared, for this machine has no such node:"
	sed 's/.*access /    /' "$tmp/err"
}
[ "$failures" = 0 ] || exit 1
