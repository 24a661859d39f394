# Usage: state.sh PROJECT [IMAGE...]
# The project's containers, one JSON object a line, and then `IMAGE ID` for each image, without an id when this host
# does not have it. A container's `line` is what it is known by: service, hash of its configuration, image id.
format='{"id": {{json .Id}}, "service": {{json (index .Config.Labels "com.docker.compose.service")}},
"image": {{json .Image}}, "status": {{json .State.Status}}, "exit_code": {{.State.ExitCode}},
"line": {{printf "%s %s %s" (index .Config.Labels "com.docker.compose.service")
(index .Config.Labels "com.docker.compose.config-hash") .Image | json}}}'
format=$(printf '%s' "$format" | tr '\n' ' ')
ids=$(docker ps --all --quiet --no-trunc \
    --filter "label=com.docker.compose.project=$1" --filter label=com.docker.compose.oneoff=False) || exit
if [ -n "$ids" ]; then
    docker inspect --format "$format" $ids || exit
fi
shift
for image; do
    printf '%s %s\n' "$image" "$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null)"
done
