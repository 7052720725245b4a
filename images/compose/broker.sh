#!/bin/sh
# Mosquitto with the certificates and the revocation list that the server keeps in its data folder: waits for them, brings them,
# and brings them anew with a hang-up whenever the server has changed one. The server's other files are only root's to read here.
set -eu
from=$TIRTA_SERVER_DATA
to=$TIRTA_BROKER_DATA
user=${TIRTA_BROKER_USER:-mosquitto}
every=${TIRTA_BROKER_EVERY:-5}

# Name here, name there.
pairs() {
    echo "clients.pem clients.pem"
    echo "crl.pem crl.pem"
    echo "tirta-server.pem broker.pem"
    echo "tirta-server.key broker.key"
}

all_there() {
    pairs | while read -r source _; do [ -s "$from/$source" ] || exit 1; done
}

changed() {
    ! pairs | while read -r source copy; do cmp -s "$from/$source" "$to/$copy" || exit 1; done
}

bring() {
    pairs | while read -r source copy; do
        cp "$from/$source" "$to/$copy.new"
        chown "$user" "$to/$copy.new"
        chmod 0400 "$to/$copy.new"
        mv "$to/$copy.new" "$to/$copy"
    done
}

until all_there; do sleep 1; done
bring
# This shell becomes Mosquitto, so its number is Mosquitto's.
while sleep "$every"; do
    if all_there && changed; then
        bring
        kill -HUP $$
    fi
done &
exec mosquitto -c "$TIRTA_BROKER_CONFIG"
