#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# `abibase probe --observe` with real QEMUs on the real /dev/net/tun: for every machine type of each,
# what is offered must be what is predicted, and what is known of these builds must be seen. The QEMUs
# are this host's and those that tests/fetch-qemus has fetched.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

export XDG_CACHE_HOME="${XDG_CACHE_HOME:-$HOME/.cache}"
[ "$(id -u)" = 0 ] || skip "needs root"
[ -c /dev/net/tun ] || skip "there is no /dev/net/tun"
need python3

tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
tried=0

links()
{
	ip -o link 2>/dev/null | sed 's/:.*//' | sort
}

# shape FILE: VERSION, then a line for each machine type and backend
shape()
{
	python3 - "$1" <<'EOF'
import json, sys
for q in json.load(open(sys.argv[1]))["qemu"]:
    print("version", q["version"])
    print("machines", len(q.get("values", {})), len(q.get("shape", {})))
    for machine, backends in sorted(q.get("shape", {}).items()):
        for backend, s in sorted(backends.items()):
            bars = ["%d:%s:%d" % (b["index"], b["kind"], b["size"]) for b in s["bars"]]
            print(machine, backend, s["offered"], "queues", *s["queue_sizes"], "config",
                  s["config_size"], "bars", *bars)
EOF
}

# observe NAME BINARY: everything that it has, without a difference
observe()
{
	name=$1
	if ! "$abibase" probe --observe --no-cache --only=tap,vhost-net,qemu --qemu="$2" \
		-o "$tmp/$name.json" 2>"$tmp/err"; then
		fail "$name: probe --observe"
		sed 's/^/    /' "$tmp/err"
		return 1
	fi
	if grep observe "$tmp/err"; then
		fail "$name: something was said about the observation"
	fi
	"$abibase" validate "$tmp/$name.json" || fail "$name: the profile is not valid"
	shape "$tmp/$name.json" >"$tmp/$name.shape"
	read -r _ known seen <<EOF
$(grep '^machines ' "$tmp/$name.shape")
EOF
	if [ "$known" = 0 ] || [ "$known" != "$seen" ]; then
		fail "$name: $seen of $known machine types have a shape"
	fi
	tried=$((tried + 1))
	echo "$name: QEMU $(sed -n 's/^version //p' "$tmp/$name.shape"), $seen machine types"
}

before=$(links)

if [ -x /usr/bin/qemu-system-x86_64 ]; then
	observe host /usr/bin/qemu-system-x86_64
	# Without any right: in a user namespace of its own.
	if unshare -Ur true 2>/dev/null && command -v setpriv >/dev/null &&
		[ -n "$(sed -n '/^pc-q35/s/ .*//p' "$tmp/host.shape" | sed -n 1p)" ]; then
		machine=$(sed -n '/^pc-q35/s/ .*//p' "$tmp/host.shape" | sed -n 1p)
		setpriv --bounding-set=-all --inh-caps=-all "$abibase" probe --observe --no-cache \
			--only=tap,qemu --qemu=/usr/bin/qemu-system-x86_64 -M "$machine" \
			>"$tmp/user.json" 2>"$tmp/err" || fail "probe without rights"
		shape "$tmp/user.json" | grep "^$machine tap " >"$tmp/user.shape"
		grep "^$machine tap " "$tmp/host.shape" >"$tmp/want.shape"
		cmp -s "$tmp/user.shape" "$tmp/want.shape" || {
			fail "without rights another thing is observed"
			cat "$tmp/err" "$tmp/user.shape" "$tmp/want.shape"
		}
	fi
fi

for root in "$qemus"/*/; do
	[ -x "$root/usr/bin/qemu-system-x86_64" ] || continue
	name=$(basename "$root")
	printf '#!/bin/sh\nexec chroot "%s" /usr/bin/qemu-system-x86_64 "$@"\n' "$root" \
		>"$tmp/qemu-$name"
	chmod +x "$tmp/qemu-$name"
	observe "$name" "$tmp/qemu-$name" || continue
	queues=$(sed -n 's/.* queues \(.*\) config.*/\1/p' "$tmp/$name.shape" | sort -u)
	case $(sed -n 's/^version //p' "$tmp/$name.shape") in
	10.0.13) want='1024 1024 1024' ;;
	*) want='256 256 64' ;;
	esac
	[ "$queues" = "$want" ] || fail "$name: queues of $queues, not $want"
done

[ "$(links)" = "$before" ] || fail "a network device is left over, or gone"
[ $tried -gt 0 ] || skip "no QEMU: tests/fetch-qemus fetches some"

# A host whose facts are not so: each difference is named with its cause.
if [ -x /usr/bin/qemu-system-x86_64 ] && [ -f "$tmp/host.shape" ]; then
	# It lets a guest see another thing than it says over QMP.
	cat >"$tmp/odd" <<'EOF'
#!/bin/sh
case "$*" in
*-qtest*) set -- "$@" -global virtio-net-device.csum=off ;;
esac
exec /usr/bin/qemu-system-x86_64 "$@"
EOF
	chmod +x "$tmp/odd"
	machine=$(sed -n '/^pc-q35/s/ .*//p' "$tmp/host.shape" | sed -n 1p)
	"$abibase" probe --observe --no-cache --only=tap,qemu --qemu="$tmp/odd" -M "$machine" \
		>"$tmp/odd.json" 2>"$tmp/err" || fail "probe of an odd build"
	grep -q 'unusual: VIRTIO_NET_F_CSUM .*\[observe-build-unusual\]' "$tmp/err" || {
		fail "an odd build is not named"
		sed 's/^/    /' "$tmp/err"
	}
fi

[ $failures = 0 ] || exit 1
echo "$tried QEMUs: what is offered is what was predicted"
