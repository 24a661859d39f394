#!/bin/sh
# Healthy means: the application's own account can reach its own database over TCP.
export PGPASSWORD="$DB_PASSWORD"
exec psql --quiet --no-psqlrc --host=127.0.0.1 --username="$DB_USER" --dbname="$DB_NAME" --command='SELECT 1' >/dev/null
