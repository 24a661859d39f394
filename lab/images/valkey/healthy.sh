#!/bin/sh
# Healthy means: the password is asked for, and ours is right.
export REDISCLI_AUTH="$REDIS_PASSWORD"
[ "$(valkey-cli -h 127.0.0.1 ping 2>/dev/null)" = PONG ]
