# Usage: missing.sh PROGRAM...
# The programs that are not there, one a line.
for program; do
    command -v -- "$program" >/dev/null || echo "$program"
done
