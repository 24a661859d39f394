# Usage: engine.sh
# Version and API version of the docker engine, then the folder of its data.
docker version --format '{{.Server.Version}} {{.Server.APIVersion}}' && docker info --format '{{.DockerRootDir}}'
