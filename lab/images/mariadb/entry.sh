#!/bin/sh
# Prepares an empty data directory once, then starts the server. Accounts are set at every start, before the first
# connection is accepted, so that a rotated password needs nothing but a restart.
set -eu
umask 077

: "${DB_NAME:?}" "${DB_USER:?}" "${DB_PASSWORD:?}" "${DB_ROOT_PASSWORD:?}"
DATA=/var/lib/mysql
ACCOUNTS=/tmp/accounts.sql

# printf is the shell's own: no secret appears among the arguments of a process.
sql_text() { printf '%s' "$1" | sed -e 's/\\/\\\\/g' -e "s/'/''/g"; }

write_accounts() {
    name=$(printf '%s' "$DB_NAME" | sed 's/`/``/g')
    # In the database part of a GRANT, _ and % are patterns: unescaped, `a_b` would also open `axb`.
    pattern=$(printf '%s' "$name" | sed -e 's/_/\\_/g' -e 's/%/\\%/g')
    user=$(sql_text "$DB_USER")
    cat >"$ACCOUNTS" <<SQL
DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost');
FLUSH PRIVILEGES;
ALTER USER 'root'@'localhost' IDENTIFIED BY '$(sql_text "$DB_ROOT_PASSWORD")';
CREATE DATABASE IF NOT EXISTS \`$name\` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE USER IF NOT EXISTS '$user'@'%';
ALTER USER '$user'@'%' IDENTIFIED BY '$(sql_text "$DB_PASSWORD")';
REVOKE ALL PRIVILEGES, GRANT OPTION FROM '$user'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES ON \`$pattern\`.* TO '$user'@'%';
SQL
}

if [ ! -d "$DATA/mysql" ]; then
    # root has no password between this line and the server's start, and nobody can connect in between.
    mariadb-install-db --auth-root-authentication-method=normal --skip-test-db --datadir="$DATA" >/dev/null
fi
write_accounts
exec mariadbd --datadir="$DATA" --init-file="$ACCOUNTS"
