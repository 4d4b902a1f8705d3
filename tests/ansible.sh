#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# contrib/ansible on two hosts: a process tree each with its own name, network and /etc, the tap and vhost of a
# recorded kernel, and a QEMU. Ansible reaches them by its connection "local" and a Python that enters them.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need ansible-playbook jq nsenter
need_qemus trixie
[ "$(id -u)" = 0 ] || skip "needs root"
unshare -munpf --mount-proc true 2> /dev/null || skip "needs namespaces"
unwrap

tmp=$(mktemp -d) || exit 99
inits=
# the first process of each host; unshare itself waits for it
trap '[ -z "$inits" ] || kill -KILL $inits; wait; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
mkdir "$tmp/home" "$tmp/bin"
lib=$qemus/trixie/usr/lib/x86_64-linux-gnu
cat > "$tmp/bin/qemu-system-x86_64" << END
#!/bin/sh
unset LD_PRELOAD LD_LIBRARY_PATH
exec $lib/ld-linux-x86-64.so.2 --library-path $lib $qemus/trixie/usr/bin/qemu-system-x86_64 \
	-L $qemus/trixie/usr/share/seabios -L $qemus/trixie/usr/share/qemu "\$@"
END

# host NAME KERNEL: its /etc is that of this machine, and what is written there is written to memory
host()
{
	mkdir -p "$tmp/$1/memory" "$tmp/$1/bin"
	cat > "$tmp/$1/up" << END
hostname $1 && mount -t tmpfs none "$tmp/$1/memory" && mkdir "$tmp/$1/memory/etc" "$tmp/$1/memory/work" &&
	mount -t overlay -o lowerdir=/etc,upperdir="$tmp/$1/memory/etc",workdir="$tmp/$1/memory/work" none /etc &&
	rm -rf /etc/abibase && touch "$tmp/$1/ready" && exec sleep 300
END
	unshare -munpf --mount-proc --kill-child sh "$tmp/$1/up" 2> "$tmp/$1/err" &
	local outside=$!

	for _ in $(seq 100); do
		[ ! -e "$tmp/$1/ready" ] || break
		sleep 0.1
	done
	inits="$inits $(pgrep -P $outside)"
	[ -e "$tmp/$1/ready" ] || skip "no host can be made here: $(cat "$tmp/$1/err")"
	PYTHONPATH=$src/tests/oracle python3 - "$2" "$build/tests/oracle/fakehost-preload.so" > "$tmp/$1/kernel" << 'END'
import os, sys, fakehost
for word in fakehost.environment(sys.argv[1], "tap", os.path.realpath(sys.argv[2])).items():
    print("export %s='%s'" % word)
END
	printf '#!/bin/sh\n. %s/kernel\nexec %s "$@"\n' "$tmp/$1" "$abibase" > "$tmp/$1/bin/abibase"
	cat > "$tmp/$1/python" << END
#!/bin/sh
export PATH=$tmp/$1/bin:/usr/bin:/bin XDG_CACHE_HOME=$tmp/$1/cache
exec nsenter -t ${inits##* } -m -u -n -p /usr/bin/python3 "\$@"
END
	chmod +x "$tmp/$1/python" "$tmp/$1/bin/abibase" "$tmp/bin/qemu-system-x86_64"
	echo "$1 ansible_python_interpreter=$tmp/$1/python" >> "$tmp/inventory"
}

host node-a 6.1
host node-b 6.12

# play [OPTION]...: the exit status; what Ansible says is in $tmp/said
play()
{
	(
		cd "$src/contrib/ansible" || exit 99
		HOME=$tmp/home ANSIBLE_NOCOLOR=1 ANSIBLE_LOCALHOST_WARNING=False PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8 \
			timeout 200 ansible-playbook -i "$tmp/inventory" -c local -e ansible_become=false \
			-e '{"abibase_intersect": ["-M", "pc-q35-10.0"]}' \
			-e "{\"abibase_probe\": [\"--qemu=$tmp/bin/qemu-system-x86_64\", \"--machine=pc-q35-10.0\"]}" \
			site.yml "$@"
	) > "$tmp/said" 2>&1
}

# changed N: by so many tasks of each host
changed()
{
	for name in node-a node-b; do
		grep -q "^$name .* changed=$1  *unreachable=0  *failed=0 " "$tmp/said" ||
			fail "$name: not $1 changed: $(cat "$tmp/said")"
	done
}

# of NAME COMMAND...: there
of()
{
	"$tmp/$1/python" -c 'import os, sys; os.execvp(sys.argv[1], sys.argv[1:])' "${@:2}"
}

play --check || fail "check mode: exit status $?"
changed 2
of node-a ls /etc/abibase > "$tmp/out" 2>&1 && fail "check mode writes: $(cat "$tmp/out")"

play || fail "exit status $?"
changed 2
id=$(of node-a sh -c 'cat /etc/abibase/baselines/*.json' | jq -r .id)
[ "$(of node-b ls /etc/abibase/baselines)" = "$id.json" ] || fail "node-b does not have $id.json"
of node-a cat "/etc/abibase/baselines/$id.json" > "$tmp/a.json"
of node-b cat "/etc/abibase/baselines/$id.json" | cmp - "$tmp/a.json" || fail "they differ"
# that of both profiles at once, byte for byte; and what node-a lacks is off
for name in node-a node-b; do
	of $name abibase probe --qemu="$tmp/bin/qemu-system-x86_64" --machine=pc-q35-10.0 > "$tmp/$name.json" ||
		fail "$name is not probed"
done
"$abibase" intersect -q --json -M pc-q35-10.0 "$tmp/node-a.json" "$tmp/node-b.json" | cmp - "$tmp/a.json" ||
	fail "it is not the baseline of both"
jq -e '.outputs[0].values | map(select(.property == "queue_reset" and .value == "off")) | length == 1' \
	"$tmp/a.json" > "$tmp/out" || fail "queue_reset is not off, which node-a lacks"
[ ! -e "/etc/abibase/baselines/$id.json" ] || fail "it is in /etc of this machine"

play || fail "the second run: exit status $?"
changed 0

play --limit node-b && fail "a part of the hosts is taken for all"
grep -q 'does not have node-a:' "$tmp/said" || fail "--limit: $(cat "$tmp/said")"

# It looks at what git has, where there is git.
if command -v ansible-lint > "$tmp/out"; then
	cp -r "$src/contrib/ansible" "$tmp/project"
	(cd "$tmp/project" && LC_ALL=C.UTF-8 HOME=$tmp/home XDG_CACHE_HOME=$tmp/home ansible-lint --offline site.yml) > "$tmp/out" 2>&1 ||
		fail "ansible-lint: $(cat "$tmp/out")"
fi

[ $failures = 0 ] && echo "two hosts, by $(LC_ALL=C.UTF-8 ansible-playbook --version | sed -n 1p)"
exit $((failures > 0))
