#!/bin/sh
# Does with its environment what the public image of Postgres does.
set -eu
if [ "$(id -u)" = 0 ]; then exec setpriv --reuid 999 --regid 999 --clear-groups sh "$0" "$@"; fi
export PGDATA=/var/lib/postgresql/18/docker
options="-c listen_addresses=* -c unix_socket_directories=/run/postgresql"
if [ ! -e "$PGDATA/PG_VERSION" ]; then
    printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
    initdb -D "$PGDATA" -U "$POSTGRES_USER" --pwfile=/tmp/password -A scram-sha-256 ${POSTGRES_INITDB_ARGS:-}
    rm /tmp/password
    echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
    echo "local all all trust" > "$PGDATA/first.conf"
    pg_ctl -D "$PGDATA" -w -o "-c listen_addresses= -c unix_socket_directories=/tmp -c hba_file=$PGDATA/first.conf" start
    [ "$POSTGRES_DB" = postgres ] || echo "create database \"$POSTGRES_DB\"" | psql -h /tmp -U "$POSTGRES_USER" postgres
    pg_ctl -D "$PGDATA" -w -m fast stop
fi
exec "$@" $options
