#!/bin/sh
# Makes local/postgres and local/nats of a base image with Python: sh tests/engine/make.sh local/base:ca
set -eu
cd "$(dirname "$0")/../.."
for name in postgres nats; do
    tar -c requirements.lock tests/engine |
        docker build --quiet --network host --build-arg BASE="$1" -f "tests/engine/Dockerfile.$name" -t "local/$name" -
done
