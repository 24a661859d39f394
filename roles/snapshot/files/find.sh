# Usage: find.sh PROJECT SERVICE
# The id of a running container of the service; nothing when there is none.
docker ps --quiet --no-trunc --filter "label=com.docker.compose.project=$1" \
    --filter "label=com.docker.compose.service=$2" --filter label=com.docker.compose.oneoff=False | head -n 1
