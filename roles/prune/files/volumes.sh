# Usage: volumes.sh
# The volumes that no container uses, with their labels; one JSON object a line.
names=$(docker volume ls --quiet --filter dangling=true) || exit
if [ -n "$names" ]; then
    docker volume inspect --format '{"name": {{json .Name}}, "labels": {{json .Labels}}}' $names
fi
