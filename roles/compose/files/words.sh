# Usage: words.sh DIRECTORY FIRST-FILE [PROGRAM...]
# Four lines: the record of the release (which files it was made of), whether its files are there, the words that call
# compose, which are found out when none are given, and its version.
[ ! -f "$1/release.json" ] || tr -d '\n' <"$1/release.json"
echo
# The record names the files of its own release, which may have had other names, and is written last.
if [ -e "$1/$2" ] || grep -qs '"compose_files"' "$1/release.json"; then echo yes; else echo no; fi
shift 2
if [ $# -eq 0 ]; then
    set -- docker compose
    "$@" version >/dev/null 2>&1 || set -- docker-compose
fi
echo "$*"
if ! "$@" version --short; then
    echo "\`$*\` does not work here" >&2
    exit 1
fi
