# Usage: ports.sh yes|no
# What listens and, with an engine, what containers publish: `container NAME PROJECT PORTS`.
ss -Hltnp || exit
if [ "$1" = yes ]; then
    docker ps --format 'container {{.Names}} {{.Label "com.docker.compose.project"}} {{.Ports}}'
fi
