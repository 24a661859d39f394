# Usage: dump.sh CONTAINER ENGINE USER PASSWORD_ENV DATABASE FILE
# One database from inside its container to FILE, compressed, with FILE.sha256 and FILE.counts beside it. FILE appears
# only when the dump is complete. FILE.counts says how many rows each table had when the dump began and when it ended
# (lines `before TABLE ROWS` and `after TABLE ROWS`, parted by tabs), so that a restored copy can be compared.
# The password stays in the container: the programs read it from its environment.
set -euo pipefail
umask 077
container=$1 engine=$2 user=$3 password_env=$4 database=$5 file=$6
partial="$file.partial"
trap 'rm -f -- "$partial" "$partial.sha256" "$partial.counts"' EXIT

case $engine in
mariadb)
    marker='^-- Dump completed'
    inside='[ -z "$1" ] || { MYSQL_PWD=$(printenv "$1") && export MYSQL_PWD; } || exit
        program=$(command -v mariadb-dump || command -v mysqldump) || exit
        exec "$program" --single-transaction --quick --routines --events --triggers --user="$2" "$3"'
    counting='[ -z "$1" ] || { MYSQL_PWD=$(printenv "$1") && export MYSQL_PWD; } || exit
        program=$(command -v mariadb || command -v mysql) || exit
        ask() { "$program" --user="$1" --default-character-set=utf8mb4 --batch --skip-column-names --raw "$2"; }
        questions=$(ask "$2" "$3") && printf "%s\n" "$questions" | ask "$2" "$3"'
    question="SELECT CONCAT('SELECT ', QUOTE(TABLE_NAME), ', COUNT(*) FROM \`',
                            REPLACE(TABLE_NAME, '\`', '\`\`'), '\`;')
                FROM information_schema.TABLES
               WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME"
    ;;
postgresql)
    marker='^-- PostgreSQL database dump complete'
    inside='[ -z "$1" ] || { PGPASSWORD=$(printenv "$1") && export PGPASSWORD; } || exit
        exec pg_dump --no-password --username="$2" "$3"'
    counting='[ -z "$1" ] || { PGPASSWORD=$(printenv "$1") && export PGPASSWORD; } || exit
        exec psql --no-psqlrc --no-password --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 \
            --field-separator="$(printf "\t")" --username="$2" "$3"'
    question="SELECT CASE nspname WHEN 'public' THEN relname ELSE nspname || '.' || relname END,
                     substring(query_to_xml(format('SELECT count(*) AS c FROM %I.%I', nspname, relname),
                                            false, true, '')::text FROM '<c>([0-9]+)</c>')
                FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
               WHERE relkind = 'r' AND relpersistence <> 't'
                 AND nspname <> 'information_schema' AND nspname !~ '^pg_' ORDER BY 1;"
    ;;
*)
    echo "unknown engine '$engine': mariadb and postgresql are known" >&2
    exit 2
    ;;
esac

count() {
    docker exec --interactive "$container" sh -c "$counting" sh "$password_env" "$user" "$database" <<<"$question" |
        sed "s/^/$1"$'\t/' >>"$partial.counts"
}

: >"$partial.counts"
count before
docker exec "$container" sh -c "$inside" sh "$password_env" "$user" "$database" | gzip >"$partial"
count after
# A dump that was cut short can still have ended with 0 somewhere in between.
if ! gzip -cd "$partial" | tail -n 8 | grep -e "$marker" >/dev/null; then
    echo "the dump of '$database' has no end marker" >&2
    exit 1
fi
sum=$(sha256sum <"$partial")
printf '%s  %s\n' "${sum%% *}" "${file##*/}" >"$partial.sha256"
sync -- "$partial" "$partial.sha256" "$partial.counts"
mv -- "$partial.sha256" "$file.sha256"
mv -- "$partial.counts" "$file.counts"
mv -- "$partial" "$file"
