#!/usr/bin/env bash
# Run every check: format, lint, types, import layers, tests with coverage, docs. What they need is set up first.
set -uo pipefail

usage() {
    cat <<'TEXT'
Usage: ./run_tests.sh [--fast] [pytest arguments]

Sets up what the checks need (./quick_start.sh --dev --no-run), runs all of them and says how each
ended and how long it took. What follows the options goes to pytest, say: ./run_tests.sh tests/cli -k report

Options:
  --fast       leave out coverage
  -h, --help   show this
TEXT
}

fast=no
case ${1-} in
    -h | --help) usage && exit 0 ;;
    --fast) fast=yes && shift ;;
esac

cd "$(dirname "$0")" || exit 1
./quick_start.sh --dev --no-run || exit 1
export PATH="$PWD/.venv/bin:$PATH"
unset PYTHONDONTWRITEBYTECODE # hundreds of processes start: each would compile what one of them can keep for all

failed=''
step() { # NAME COMMAND...: its output is shown only when it fails, or when NAME is tests
    local name=$1 began=$SECONDS status=0 output=''
    shift
    if [ "$name" = tests ]; then
        "$@" || status=$?
    else
        output=$("$@" 2>&1) || status=$?
    fi
    if [ "$status" -eq 0 ]; then
        printf 'ok    %-9s %4d s\n' "$name" $((SECONDS - began))
    else
        [ -z "$output" ] || printf '%s\n' "$output"
        printf 'FAIL  %-9s %4d s  %s\n' "$name" $((SECONDS - began)) "$*"
        failed="$failed $name"
    fi
}

docs=(README.md docs/*.md)
coverage=(--cov --cov-report=json:coverage.json --cov-report=)
[ "$fast" = no ] || coverage=(--no-cov)

step format ruff format --check .
step lint ruff check .
step shell shellcheck quick_start.sh run_tests.sh .ci/run tools/*.sh
step types mypy
step imports lint-imports
step tests pytest -n 4 --dist worksteal --quiet "${coverage[@]}" "$@" # many wait for a market, few compute
[ "$fast" = yes ] || [ $# -gt 0 ] || step coverage python tools/coverage_floor.py coverage.json
step docs cog --check --diff -I tools "${docs[@]}"

if [ -n "$failed" ]; then
    printf 'failed:%s\n' "$failed"
    exit 1
fi
printf 'all checks passed\n'
