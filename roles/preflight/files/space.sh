# Usage: space.sh PATH...
# Free MB and mount point of the file system each path is on, or will be.
for path; do
    while [ ! -e "$path" ]; do path=$(dirname -- "$path"); done
    df -Pm -- "$path" | awk 'NR == 2 {print $4, $6}'
done
