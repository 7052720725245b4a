#!/bin/sh
# Runs inside a Debian system made for it (`cargo xtask packages-test`), as root. It writes a line for each thing that it
# tried to /srv/results: "ok ..." or "FAILED ...". The packages are in /srv/packages.
set -u
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
units="tirta-agent.service tirta-hostname.path tirta-server.service"
names="tirta tirta-agent tirta-server"

check() {
    sentence=$1
    shift
    if "$@" >/srv/last 2>&1; then
        echo "ok $sentence" >>/srv/results
    else
        echo "FAILED $sentence: $(tail -n 4 /srv/last | tr '\n' ' ')" >>/srv/results
    fi
}

# Tries for up to a minute.
becomes() {
    for _ in $(seq 60); do
        "$@" && return 0
        sleep 1
    done
    return 1
}

apt() { apt-get -q --yes --no-install-recommends -o Dpkg::Options::=--force-confold "$@"; }
each_package() { apt "$1" tirta tirta-agent tirta-server; }
each() { for one in $2; do $1 "$one" || { echo "$1 $one"; return 1; }; done; }
enabled() { [ "$(systemctl is-enabled "$1")" = enabled ]; }
active() { systemctl is-active --quiet "$1"; }
inactive() { ! active "$1"; }
not() { ! "$@"; }
is() { [ "$(stat -c '%a %U %G' "$1")" = "$2" ] || { stat -c '%n %a %U %G' "$1"; return 1; }; }
ready() { tirta-server health --config /etc/tirta/server.toml; }
process() { systemctl show --property MainPID --value "$1"; }
version() { dpkg-query --show --showformat '${Version}' "$1"; }

# What has our name and is no data and no user.
leftovers() {
    find / -xdev \( -path /proc -o -path /sys -o -path /srv -o -path /var/lib/tirta-agent -o -path /var/lib/tirta-server \) \
        -prune -o -name '*tirta*' -print | tee /srv/last
    [ ! -s /srv/last ]
}

files_are_right() {
    each "test -x" "/usr/bin/tirta /usr/bin/tirta-agent /usr/bin/tirta-server" &&
        is /usr/bin/tirta-agent "755 root root" &&
        is /usr/lib/systemd/system/tirta-server.service "644 root root" &&
        is /etc/tirta/agent.toml "640 root tirta-agent" &&
        is /etc/tirta/server.toml "600 root root" &&
        each "test -s" "/usr/share/bash-completion/completions/tirta /usr/share/zsh/vendor-completions/_tirta-agent
            /usr/share/fish/vendor_completions.d/tirta-server.fish /usr/share/doc/tirta/copyright"
}

manuals_are_there() {
    for name in $names; do
        zcat "/usr/share/man/man1/$name.1.gz" | grep -q '^\.SH SYNOPSIS' || return 1
    done
    # For each word that can be typed, too.
    test -s /usr/share/man/man1/tirta-devices-import.1.gz
}

users_are_there() {
    getent passwd tirta-server && getent passwd tirta-agent && id -nG tirta-agent | grep -qw i2c && id -nG tirta-agent | grep -qw gpio
}

programs_say_their_version() {
    for name in $names; do
        "$name" --version | grep -q "$(version "$name" | sed 's/+.*//')" || return 1
    done
}

sign_in() {
    TIRTA_PASSWORD=$(tirta-server new-password --config /etc/tirta/server.toml | sed -n 's/.*password "\([^"]*\)".*/\1/p')
    [ -n "$TIRTA_PASSWORD" ] && export TIRTA_PASSWORD && tirta devices export
}

# This machine is no Pi: the same configuration with a serial and a tank that is simulated.
simulate() {
    sed -i 's/^kind = "ads1115"/kind = "simulated"/; /^bus = /d; /^address = /d; /^channel = /d; s/^interval_ms.*/interval_ms = 500/' /etc/tirta/agent.toml
    sed -i '1a serial = "10000000deadbeef"' /etc/tirta/agent.toml
    printf '\n[buffer]\ncommit_ms = 500\n\n[clock]\nassume_synced = true\n' >>/etc/tirta/agent.toml
    systemctl restart tirta-agent.service
}

says() { journalctl --quiet --unit "$1" --output cat | grep -q "$2"; }
stored() { tirta-server export --config /etc/tirta/server.toml | wc -l; }
more_stored_than() { [ "$(stored)" -gt "$1" ]; }

# The same packages, with a higher version and another example configuration.
make_newer() {
    mkdir -p /srv/newer
    for deb in /srv/packages/*.deb; do
        tree=/srv/tree
        rm -rf $tree && dpkg-deb --raw-extract "$deb" $tree || return 1
        sed -i 's/^Version: .*/&+newer/' $tree/DEBIAN/control
        for file in "$tree"/etc/tirta/*.toml; do
            [ ! -e "$file" ] || echo "# of the newer package" >>"$file"
        done
        dpkg-deb --root-owner-group --build $tree /srv/newer || return 1
    done
}

case "$1" in
image)
    check "packages install where no systemd runs, as in an image" apt install /srv/packages/*.deb
    check "their services will start with the system" each enabled "$units"
    check "users and groups are there" users_are_there
    check "purging them leaves nothing, for there is no data" each_package purge
    check "nothing has our name any more" leftovers
    ;;
booted)
    check "packages install on a running system" apt install /srv/packages/*.deb
    check "files have their owners and modes" files_are_right
    check "man pages are there" manuals_are_there
    check "users and groups are there" users_are_there
    check "programs say their version" programs_say_their_version
    check "services are enabled" each enabled "$units"
    check "the server answers" becomes ready
    check "its data is its own" is /var/lib/tirta-server "700 tirta-server tirta-server"
    check "no password is in the log" not says tirta-server.service "password \""
    check "a person gets a password and signs in with tirta" sign_in
    check "the agent runs without a fleet file once there are probes" simulate
    check "and stays up" becomes active tirta-agent.service
    check "and says what it waits for" becomes says tirta-agent.service "fleet file"
    check "tirta makes a fleet file" tirta fleet-config --uses 1 --valid 1d --admits any --address https://127.0.0.1:8443 --out /boot/tirta-fleet.toml
    # On a boot partition everybody can read it: FAT knows no owners.
    chmod 644 /boot/tirta-fleet.toml
    check "the agent enrols with it and its readings arrive" becomes more_stored_than 4
    rm -f /boot/tirta-fleet.toml

    make_newer
    for file in /etc/tirta/agent.toml /etc/tirta/server.toml; do echo "# by the admin" >>$file; done
    before=$(process tirta-server.service)
    readings=$(stored)
    check "a newer version installs" apt install /srv/newer/*.deb
    check "it is the newer one" test "$(version tirta-agent)" = "$(version tirta | sed 's/+newer$//')+newer"
    check "the server was started anew" not test "$(process tirta-server.service)" = "$before"
    check "and answers" becomes ready
    check "the admin's configuration was kept" grep -q "by the admin" /etc/tirta/agent.toml /etc/tirta/server.toml
    check "and so were the readings, and more come" becomes more_stored_than "$readings"

    check "packages are removed" each_package remove
    check "nothing runs any more" each inactive "$units"
    check "configuration and data are there" test -e /etc/tirta/server.toml -a -e /var/lib/tirta-server/ca.key
    check "and can be installed again" apt install /srv/packages/*.deb
    check "with the readings of before" becomes more_stored_than "$readings"
    check "packages are purged" each_package purge
    check "the readings and the authority are there even then" test -e /var/lib/tirta-server/tirta.db -a -e /var/lib/tirta-server/ca.key
    check "and so is the device's identity" test -e /var/lib/tirta-agent/identity.toml
    check "nothing else has our name any more" leftovers
    ;;
esac
journalctl --quiet --unit "tirta-*" >/srv/journal 2>&1
echo "end of $1" >>/srv/results
