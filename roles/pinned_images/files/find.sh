# Usage: find.sh NAME...
# The id of the first image that is there: a pin, or, when only that tag is gone, the id that was recorded.
for name; do
    [ -z "$name" ] || ! docker image inspect --format '{{.Id}}' "$name" 2>/dev/null || exit 0
done
