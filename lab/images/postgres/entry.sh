#!/bin/sh
# Prepares an empty data directory once, sets the application's account and password at every start (a rotated
# password needs nothing but a restart), then starts the server.
set -eu
umask 077

: "${DB_NAME:?}" "${DB_USER:?}" "${DB_PASSWORD:?}"
DATA=/var/lib/postgresql/data

prepare() {
    # A directory that was prepared only in part is thrown away, not mended.
    find "$DATA" -mindepth 1 -delete
    initdb --pgdata="$DATA" --username=postgres --encoding=UTF8 --locale=C.UTF-8 \
        --auth-local=peer --auth-host=scram-sha-256 >/dev/null
    # Over the socket only the container's own user, postgres, gets in without a password: that is what backups use.
    cat >"$DATA/pg_hba.conf" <<'HBA'
local all postgres peer
local all all scram-sha-256
host  all postgres all reject
host  all all all scram-sha-256
HBA
}

# The account's name and password are psql variables read from the environment, so that psql quotes them and no
# argument holds a secret. The server listens on no port until this is done.
set_account() {
    pg_ctl --pgdata="$DATA" --options='-c listen_addresses= -c log_statement=none' --wait --silent start >/dev/null
    psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --username=postgres --dbname=postgres <<'SQL'
\getenv name DB_NAME
\getenv role DB_USER
\getenv password DB_PASSWORD
SELECT format('CREATE ROLE %I LOGIN', :'role')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
ALTER ROLE :"role" PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'role')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
SQL
    pg_ctl --pgdata="$DATA" --mode=fast --wait --silent stop >/dev/null
}

if [ ! -f "$DATA/prepared" ]; then
    prepare
    touch "$DATA/prepared"
fi
rm -f "$DATA/postmaster.pid"
set_account
exec postgres -D "$DATA" -c listen_addresses='*'
