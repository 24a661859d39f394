# Usage: volumes.sh
# The volumes that no container uses and no compose project made, one a line.
names=$(docker volume ls --quiet --filter dangling=true) || exit
for name in $names; do
    project=$(docker volume inspect --format '{{with .Labels}}{{index . "com.docker.compose.project"}}{{end}}' "$name") ||
        exit
    [ -n "$project" ] || echo "$name"
done
