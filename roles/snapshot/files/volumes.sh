# Usage: volumes.sh FILE
# Adds to FILE the volumes that containers of any compose project have now. One without a name carries no project's
# label: once its container is gone nobody could tell whose it was.
set -eu
touch -- "$1"
ids=$(docker ps --all --quiet --filter label=com.docker.compose.project)
[ -n "$ids" ] || exit 0
docker inspect --format '{{range .Mounts}}{{if eq .Type "volume"}}{{println .Name}}{{end}}{{end}}' $ids |
    cat - "$1" | grep . | sort -u >"$1.partial"
if cmp -s -- "$1.partial" "$1"; then rm -- "$1.partial"; else mv -- "$1.partial" "$1"; echo added; fi
