# Usage: compose.sh [PROGRAM...]
# The version of compose, which is found out when no program is given.
if [ $# -gt 0 ]; then
    "$@" version --short
else
    docker compose version --short 2>/dev/null || docker-compose version --short
fi
