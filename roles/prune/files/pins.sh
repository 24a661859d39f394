# Usage: pins.sh
# Every pin on this host, of whichever application.
docker image ls --filter 'reference=verifier-rollback/*' --format '{{.Repository}}:{{.Tag}}'
