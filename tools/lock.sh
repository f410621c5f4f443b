#!/bin/sh
# Write the locked, hashed dependencies anew: `just lock`, or `tools/lock.sh --upgrade` to take newer versions.
set -eu
cd "$(dirname "$0")/.."
uv=$(command -v uv || true)
[ -x .venv/bin/uv ] && uv=.venv/bin/uv
if [ -z "$uv" ]; then
    echo "lock.sh: uv is needed (pip install uv)" >&2
    exit 1
fi

lock() {
    output=$1
    shift
    "$uv" pip compile pyproject.toml "$@" --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-emit-find-links --custom-compile-command "tools/lock.sh" --quiet --output-file "$output"
}

lock requirements.lock --group build "$@"
lock requirements-services.lock --group build --extra services --constraint requirements.lock "$@"
lock requirements-dev.lock --group dev --constraint requirements.lock --constraint requirements-services.lock "$@"
