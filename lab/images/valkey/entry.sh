#!/bin/sh
# The password reaches the server through a file in a tmpfs, never through its arguments.
set -eu
umask 077

: "${REDIS_PASSWORD:?}"
CONFIG=/tmp/valkey.conf

# printf is the shell's own: no secret appears among the arguments of a process.
quoted() { printf '%s' "$1" | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g'; }

cat >"$CONFIG" <<CONF
bind 0.0.0.0
port 6379
dir /data
save 60 1
requirepass "$(quoted "$REDIS_PASSWORD")"
CONF
exec valkey-server "$CONFIG"
