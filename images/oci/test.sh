#!/bin/sh
# Runs a container's server in namespaces of its own, until it says that it is ready. First the folder with the file system, then
# its user, then its command, as the image has them.
set -eu
root=$1
user=$2
shift 2
ip link set lo up
chroot --userspec="$user" "$root" "$@" &
server=$!
for _ in $(seq 30); do
    if chroot --userspec="$user" "$root" /usr/bin/tirta-server health --config /etc/tirta/server.toml; then
        kill -TERM $server
        wait $server
        exit 0
    fi
    sleep 1
done
exit 1
