# Usage: due.sh FOLDER PATTERN MAX_AGE_S FILE...
# Says `due` unless a file in FOLDER matches PATTERN, is younger than MAX_AGE_S and is newer than each FILE.
set -eu
folder=$1 pattern=$2 max_age=$3
shift 3
[ -d "$folder" ] || { echo due; exit 0; }
found=$(find "$folder" -maxdepth 1 -type f -name "$pattern" -printf '%T@ %p\n' | sort -n | tail -n 1)
newest=${found#* }
[ -n "$newest" ] || { echo due; exit 0; }
[ "$(($(date +%s) - $(stat -c %Y -- "$newest")))" -lt "$max_age" ] || { echo due; exit 0; }
for file; do
    [ -z "$(find "$file" -newer "$newest")" ] || { echo due; exit 0; }
done
