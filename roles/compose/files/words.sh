# Usage: words.sh DIRECTORY FIRST-FILE [PROGRAM...]
# Three lines: the record of the release (which files it was made of), whether its files are there, and the words that
# call compose, which are found out when none are given.
[ ! -f "$1/release.json" ] || tr -d '\n' <"$1/release.json"
echo
if [ -e "$1/$2" ]; then echo yes; else echo no; fi
shift 2
if [ $# -gt 0 ]; then
    echo "$*"
elif docker compose version >/dev/null 2>&1; then
    echo docker compose
elif docker-compose version >/dev/null 2>&1; then
    echo docker-compose
else
    echo 'neither `docker compose` nor `docker-compose` works here' >&2
    exit 1
fi
