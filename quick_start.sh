#!/usr/bin/env bash
# Set qbtrade up in .venv, rehearse the six offline scenarios, then a whole trading day; offer three ways to run next.
# Safe to run again. Plain enough for the bash 3.2 of macOS.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: ./quick_start.sh [options]

Makes .venv beside this script, installs the locked dependencies and qbtrade itself, runs the
offline scenarios (qb simulate --suite), then the main job (qb simulate). No server, no key, no
account. Running it again takes seconds: what is up to date is left alone, and a set-up that was
interrupted is repaired. On a terminal, and without options, it then offers three ways to run:
a small budget, a dry run, or your own choice; Enter alone leaves.

Options:
  --no-run        set up only
  --dev           install what the tests need as well
  --with-services run private PostgreSQL and Redis servers as well (qb services up)
  --python PATH   make .venv with this interpreter (3.11 or newer)
  --recreate      throw .venv away first
  -h, --help      show this
TEXT
}

say() { printf '%s\n' "$*"; }

die() {
    printf 'quick_start.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

# --- arguments

run=yes dev=no services=no recreate=no wanted='' plain=no
[ $# -gt 0 ] || plain=yes
while [ $# -gt 0 ]; do
    case $1 in
        --no-run) run=no ;;
        --dev) dev=yes ;;
        --with-services) services=yes ;;
        --recreate) recreate=yes ;;
        --python)
            [ $# -ge 2 ] || die "--python needs the path of an interpreter" 2
            wanted=$2
            shift
            ;;
        --python=*) wanted=${1#*=} ;;
        -h | --help)
            usage
            exit 0
            ;;
        *) die "unknown option $1; ./quick_start.sh --help lists them" 2 ;;
    esac
    shift
done

case $wanted in
    /*) ;;
    */*) wanted=$PWD/$wanted ;; # the directory changes below
esac
here=$(cd "$(dirname "$0")" && pwd -P)
cd "$here"
unset PYTHONHOME PYTHONPATH # of another project
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_USER=0
trap 'die interrupted 130' INT

# --- a Python that is new enough and can make environments

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
can_make_venv() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

python='' lame=''
find_python() { # the first of the candidates that can do it, else (lame) one that is only new enough
    local candidate
    for candidate in "$@"; do
        is_new_enough "$candidate" || continue
        if can_make_venv "$candidate"; then
            python=$candidate
            return
        fi
        lame=${lame:-$candidate}
    done
}

make_venv() {
    if [ -z "$wanted" ]; then
        find_python python3.13 python3.12 python3.11 python3
    else
        is_new_enough "$wanted" || die "$wanted is not a Python 3.11 or newer"
        find_python "$wanted"
    fi
    if [ -n "$python" ]; then
        say "Making .venv with $("$python" --version)"
        rm -rf .venv
        "$python" -m venv .venv >/dev/null || die "$python could not make .venv"
    elif command -v uv >/dev/null 2>&1; then
        say "Making .venv with uv"
        rm -rf .venv
        uv venv --quiet --seed --python "${lame:->=3.11}" .venv || die "uv could not make .venv"
    elif [ -n "$lame" ]; then
        die "$lame cannot make virtual environments; on Debian and Ubuntu: sudo apt install python3-venv"
    else
        die "no Python 3.11 or newer found; install one, or name it with --python PATH"
    fi
}

# --- what .venv must hold, and whether it does

fingerprint() { # of everything that an installation depends on; the place counts, since scripts name it
    local more=''
    [ "$1" = run ] || more=requirements-$1.lock
    # shellcheck disable=SC2086 # one more file, or none
    { printf '%s\n' "$here" && cat pyproject.toml requirements.lock $more; } | cksum
}

is_installed() { [ "$(cat ".venv/.qb-lock-$1" 2>/dev/null)" = "$(fingerprint "$1")" ]; }

pip_install() { .venv/bin/python -m pip install --quiet "$@"; }

install() {
    local lock=requirements.lock
    [ "$level" = run ] || lock=requirements-$level.lock
    say "Installing $lock (a minute or two the first time)"
    rm -f .venv/.qb-lock-*
    : >.venv/.qb-installing
    if ! pip_install --require-hashes --requirement "$lock" ||
        ! pip_install --no-deps --no-build-isolation --editable .; then
        rm -f .venv/.qb-installing # pip ended by itself and left nothing half done
        die "the installation failed; what pip said stands above. Run ./quick_start.sh again when it is mended"
    fi
    fingerprint run >.venv/.qb-lock-run
    [ "$level" = run ] || fingerprint "$level" >".venv/.qb-lock-$level"
    [ "$level" != dev ] || fingerprint services >.venv/.qb-lock-services # which dev holds
    rm -f .venv/.qb-installing
}

is_usable() { # a .venv that works, was not cut off in the middle, and was made here with the interpreter asked for
    [ -x .venv/bin/python ] && [ ! -e .venv/.qb-installing ] && is_new_enough .venv/bin/python &&
        .venv/bin/python -c 'import pip' >/dev/null 2>&1 && grep -qF "$here/.venv" .venv/bin/activate
}

same_python() { # as the one asked for, if one was
    [ -z "$wanted" ] || [ "$("$wanted" --version 2>&1)" = "$(.venv/bin/python --version 2>&1)" ]
}

if [ "$recreate" = yes ] || ! is_usable || ! same_python; then make_venv; fi
level=run
[ "$services" = no ] || level=services
[ "$dev" = no ] || level=dev
if is_installed "$level"; then
    say "Set up already: .venv holds what the lock asks for"
else
    install
fi

# --- servers of one's own

[ "$services" = no ] || .venv/bin/qb services up || die "the servers could not be started; the line above says why" $?

# --- the rehearsal

[ "$run" = yes ] || exit 0
say
say "Six offline scenarios: qb simulate --suite"
.venv/bin/qb simulate --suite || die "a scenario failed; the table above says which" $?
say
say "A whole trading day: qb simulate"
.venv/bin/qb simulate || die "the simulation did not end well; its last lines say why" $?
cat <<'TEXT'

That works. Next:
  source .venv/bin/activate
  qb report show latest          what happened, in full
  qb simulate --help             other symbols, strategies, markets and your own data
  qb simulate --speed 60         the same day with the status panel, 60 times faster than life
  qb live --help                 a session on the market's clock, on paper or on a local KIS
TEXT

# --- three ways to run

[ "$plain" = yes ] && [ -t 0 ] && [ -t 1 ] && [ -z "${CI:-}" ] || exit 0

has_keys() { # whether the configuration holds everything for this environment
    .venv/bin/python - "$1" >/dev/null 2>&1 <<'PYTHON'
import os, pathlib, sys
from qbtrade.app.config import load_settings
from qbtrade.app.kis_account import environment_of, parse_kind

environment_of(load_settings(pathlib.Path.cwd(), os.environ), parse_kind(sys.argv[1]))
PYTHON
}

leave() {
    say "Nothing was started."
    exit "$1"
}

answer=''
ask() { # question, usual answer
    IFS= read -r -p "$1${2:+ [$2]}: " answer || { say && leave 0; }
    answer=${answer:-$2}
}

live() { # the rest of the command line
    say
    say "\$ qb live $*"
    trap - INT
    exec .venv/bin/qb live "$@"
}

custom() {
    local symbol max loss strategy bar stop orders until ending parameter
    ask "Environment: paper, real or emulator" "$where" && where=$answer
    ask "Symbol" 005930 && symbol=$answer
    ask "Money at work, won" 1000000 && max=$answer
    ask "Loss that ends the day, won" 50000 && loss=$answer
    ask "Strategy, or ./file.py:Class" sma_cross && strategy=$answer
    ask "Its parameters, as in fast=10 slow=30" '' && parameter=$answer
    ask "Length of a bar" 1m && bar=$answer
    ask "Stop-loss below the average cost" 3% && stop=$answer
    ask "Entries a day" 10 && orders=$answer
    ask "End at: close, close-10m or 14:30" close && until=$answer
    ask "At the end: cancel, cancel+flatten or leave" cancel && ending=$answer
    set -- --env "$where" --symbol "$symbol" --max "$max" --daily-loss "$loss" --strategy "$strategy" --bar "$bar" \
        --stop-loss "$stop" --max-orders "$orders" --until "$until" --on-exit "$ending"
    set -f # NAME=VALUE pairs are parted at blanks, and nothing else happens to them
    for parameter in $parameter; do set -- "$@" --param "$parameter"; done
    set +f
    [ "$where" != emulator ] || set -- "$@" --speed 60
    live "$@"
}

trap 'say && leave 130' INT
where=emulator dry=emulator
if has_keys paper; then
    where=paper dry=paper
elif has_keys real; then
    dry=real
fi
say
say "Three ways to run:"
case $where in
    paper) say "  1  small budget: paper trading at KIS, at most 1,000,000 won (orders with real money are locked)" ;;
    *) say "  1  small budget: at most 1,000,000 won on the local KIS, 60 times faster than life" ;;
esac
case $dry in
    emulator) say "  2  dry run: data of the local KIS, simulated fills, no order is sent" ;;
    *) say "  2  dry run: data of KIS ($dry), simulated fills, no order is sent" ;;
esac
say "  3  custom: you choose strategy, limits and end"
[ "$where" = paper ] ||
    say "There are no keys for paper trading, so the local KIS of qb takes its place: qb init asks for keys."
while :; do
    ask "1, 2, 3, or Enter to leave" ''
    case $answer in
        1) if [ "$where" = paper ]; then
            live --env paper --symbol 005930 --max 1000000 --daily-loss 50000
        else
            live --env emulator --symbol 005930 --max 1000000 --daily-loss 50000 --speed 60
        fi ;;
        2) if [ "$dry" = emulator ]; then
            live --env emulator --dry-run --symbol 005930 --max 1000000 --speed 60
        else
            live --env "$dry" --dry-run --symbol 005930 --max 1000000
        fi ;;
        3) custom ;;
        '' | q | Q) leave 0 ;;
        *) say "$answer is none of them." ;;
    esac
done
