# Usage: find.sh NAME...
# The id of the first image that is there: a pin, or, when only that tag is gone, the id that was recorded.
for name; do
    # For an image it does not have docker prints an empty line before it complains.
    id=$([ -z "$name" ] || docker image inspect --format '{{.Id}}' "$name" 2>/dev/null)
    if [ -n "$id" ]; then
        echo "$id"
        exit
    fi
done
