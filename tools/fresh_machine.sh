#!/usr/bin/env bash
# README's two commands on a bare Debian stable: python3 with venv, git, certificates, nothing else.
#
#   tools/fresh_machine.sh FOLDER [COMMIT]
#
#   FOLDER     the bare system, some 400 MB; made once and used again
#   COMMIT     of this repository; what is committed last unless you name another
#
# The commands are taken from README's first two ```sh blocks. Needs root, apt with a Debian mirror
# in its configuration, and git; debootstrap is installed if it is missing.
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "${1:?usage: fresh_machine.sh FOLDER [COMMIT]}"
system=$(cd "$1" && pwd)
commit=$(git -C "$project" rev-parse "${2:-HEAD}")

if ! command -v debootstrap > /dev/null; then
    apt-get -q=2 update
    DEBIAN_FRONTEND=noninteractive apt-get -q=2 install --no-install-recommends debootstrap \
        > /dev/null
fi

if [ ! -e "$system/.complete" ]; then
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2> /dev/null \
        | grep -E '/debian/?$' | head -n 1 || true)
    if [ -z "$mirror" ]; then
        echo "apt has no Debian archive in its configuration, so there is no mirror to ask" >&2
        exit 1
    fi
    debootstrap --variant=minbase --include=python3,python3-venv,git,ca-certificates \
        stable "$system" "$mirror" > "$system.log" || { tail "$system.log" >&2; exit 1; }
    touch "$system/.complete"
fi

# What the network of this machine needs, and nothing else of this machine.
cp /etc/resolv.conf /etc/hosts "$system/etc/"
cp -L /etc/ssl/certs/ca-certificates.crt "$system/etc/ssl/certs/"
proxies=()
for name in http_proxy https_proxy no_proxy; do
    [ -z "${!name:-}" ] || proxies+=("$name=${!name}")
done

rm -rf "$system/root/fresh"
git clone -q "$project" "$system/root/fresh"
git -C "$system/root/fresh" checkout -q "$commit"
{
    printf 'set -e\ncd /root/fresh\n'
    awk '/^```sh$/ { inside = ++block <= 2; if (inside) print "rm -rf .venv"; next }
         /^```/ { inside = 0 }
         inside { sub(/^\$ /, ""); print }' "$system/root/fresh/README.md"
} > "$system/root/commands.sh"
cat "$system/root/commands.sh"
# In namespaces of its own: no mount and no process outlives it, however it ends.
env -i "${proxies[@]}" HOME=/root LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    unshare --mount --pid --fork --kill-child /bin/sh -c '
        mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev"
        exec chroot "$0" /bin/bash /root/commands.sh
    ' "$system"
echo "README's commands pass on $(/usr/sbin/chroot "$system" /usr/bin/python3 -V), commit $commit"
