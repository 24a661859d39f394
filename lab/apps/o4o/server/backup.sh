#!/usr/bin/env bash
# Usage: backup.sh FOLDER
# Everything this release needs to come back, into FOLDER: the database as <database>-<release>-<time>.sql.gz, and the
# files the artifact does not bring as o4o-files-<release>-<time>.tar.gz (the environment file, which release and which
# artifact it is, the logs). Each with its SHA-256 beside it, the dump also with the rows of each table before and after
# it. A file has its final name only when it is complete. Passwords are on no command line.
set -euo pipefail
umask 077
folder=$(cd -- "${1:?where to?}" && pwd)
cd -- "$(dirname -- "$(readlink -f -- "$0")")"

setting() {
    node -e 'const { parse } = require("dotenv"); const { readFileSync } = require("node:fs")
        process.stdout.write(parse(readFileSync(".env"))[process.argv[1]] ?? "")' "$1"
}

host=$(setting DB_HOST) port=$(setting DB_PORT) user=$(setting DB_USER) name=$(setting DB_NAME)
PGPASSWORD=$(setting DB_PASSWORD)
export PGPASSWORD
release=$(node -p 'require("./release.json").release')
at=$(date -u +%Y%m%dT%H%M%SZ)
logs=$(setting LOG_DIR)
work=$(mktemp -d -- "$folder/.partial-XXXXXXXX")
trap 'rm -rf -- "$work"' EXIT

# The programs of the database: this host's own, or those in the container that has the port.
if command -v pg_dump >/dev/null && command -v psql >/dev/null; then
    client() { local program=$1; shift; "$program" --host="$host" --port="$port" --username="$user" "$@" "$name"; }
else
    container=$(docker ps --quiet --filter "publish=$port" | head -n 1)
    [ -n "$container" ] || { echo "no pg_dump on this host, and no container has port $port" >&2; exit 1; }
    client() {
        local program=$1
        shift
        docker exec --interactive --env PGPASSWORD "$container" \
            "$program" --host=127.0.0.1 --username="$user" "$@" "$name"
    }
fi

count() {
    client psql --no-psqlrc --no-password --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 \
        --field-separator=$'\t' <<'SQL' | sed "s/^/$1"$'\t/' >>"$work/counts"
SELECT CASE nspname WHEN 'public' THEN relname ELSE nspname || '.' || relname END,
       substring(query_to_xml(format('SELECT count(*) AS c FROM %I.%I', nspname, relname), false, true, '')::text
                 FROM '<c>([0-9]+)</c>')
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
 WHERE relkind = 'r' AND relpersistence <> 't' AND nspname <> 'information_schema' AND nspname !~ '^pg_' ORDER BY 1;
SQL
}

finish() { # FILE NAME
    local sum
    sum=$(sha256sum <"$1")
    printf '%s  %s\n' "${sum%% *}" "$2" >"$folder/$2.sha256"
    sync -- "$1"
    mv -- "$1" "$folder/$2"
}

count before
client pg_dump --no-password </dev/null | gzip >"$work/dump"
count after
gzip -cd -- "$work/dump" | tail -n 8 | grep -e '^-- PostgreSQL database dump complete' >/dev/null ||
    { echo "the dump of $name was cut short" >&2; exit 1; }
mv -- "$work/counts" "$folder/$name-$release-$at.sql.gz.counts"
finish "$work/dump" "$name-$release-$at.sql.gz"

files=(.env release.json)
[ ! -e .artifact.sha256 ] || files+=(.artifact.sha256)
# 1 means that a log grew while it was read.
tar --create --gzip --warning=no-file-changed --file="$work/files" -- "${files[@]}" "${logs:-logs}" || [ $? = 1 ]
finish "$work/files" "o4o-files-$release-$at.tar.gz"
