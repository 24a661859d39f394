# Usage: dump.sh CONTAINER ENGINE USER PASSWORD_ENV DATABASE FILE
# One database from inside its container to FILE, compressed, with FILE.sha256 beside it. FILE appears only when the
# dump is complete. The password stays in the container: the dump program reads it from its environment.
set -euo pipefail
umask 077
container=$1 engine=$2 user=$3 password_env=$4 database=$5 file=$6
partial="$file.partial"
trap 'rm -f -- "$partial" "$partial.sha256"' EXIT

case $engine in
mariadb)
    marker='^-- Dump completed'
    inside='[ -z "$1" ] || { MYSQL_PWD=$(printenv "$1") && export MYSQL_PWD; } || exit
        program=$(command -v mariadb-dump || command -v mysqldump) || exit
        exec "$program" --single-transaction --quick --routines --events --triggers --user="$2" "$3"'
    ;;
postgresql)
    marker='^-- PostgreSQL database dump complete'
    inside='[ -z "$1" ] || { PGPASSWORD=$(printenv "$1") && export PGPASSWORD; } || exit
        exec pg_dump --no-password --username="$2" "$3"'
    ;;
*)
    echo "unknown engine '$engine': mariadb and postgresql are known" >&2
    exit 2
    ;;
esac

docker exec "$container" sh -c "$inside" sh "$password_env" "$user" "$database" | gzip >"$partial"
# A dump that was cut short can still have ended with 0 somewhere in between.
if ! gzip -cd "$partial" | tail -n 8 | grep -e "$marker" >/dev/null; then
    echo "the dump of '$database' has no end marker" >&2
    exit 1
fi
sum=$(sha256sum <"$partial")
printf '%s  %s\n' "${sum%% *}" "${file##*/}" >"$partial.sha256"
sync -- "$partial" "$partial.sha256"
mv -- "$partial.sha256" "$file.sha256"
mv -- "$partial" "$file"
