#!/bin/sh
# Healthy means: the application's own account can reach its own database over TCP.
export MYSQL_PWD="$DB_PASSWORD"
exec mariadb --protocol=tcp --host=127.0.0.1 --user="$DB_USER" --batch --silent --execute='SELECT 1' "$DB_NAME" >/dev/null
