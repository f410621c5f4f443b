#!/usr/bin/env bash
# Set qbtrade up in .venv, rehearse the six offline scenarios, then a whole trading day. Safe to run again.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: ./quick_start.sh [options]

Makes .venv beside this script, installs the locked dependencies and qbtrade itself, runs the
offline scenarios (qb simulate --suite), then the main job (qb simulate). No server, no key, no
account. Running it again takes seconds: what is up to date is left alone, and a set-up that was
interrupted is repaired.

Options:
  --no-run        set up only
  --dev           install what the tests need as well
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

run=yes dev=no recreate=no wanted=''
while [ $# -gt 0 ]; do
    case $1 in
        --no-run) run=no ;;
        --dev) dev=yes ;;
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
    { printf '%s\n' "$here" && cat pyproject.toml requirements.lock && if [ "$1" = dev ]; then cat requirements-dev.lock; fi; } | cksum
}

is_installed() { [ "$(cat ".venv/.qb-lock-$1" 2>/dev/null)" = "$(fingerprint "$1")" ]; }

pip_install() { .venv/bin/python -m pip install --quiet "$@"; }

install() {
    local lock=requirements.lock
    [ "$dev" = no ] || lock=requirements-dev.lock
    say "Installing $lock (a minute or two the first time)"
    rm -f .venv/.qb-lock-*
    : >.venv/.qb-installing
    if ! pip_install --require-hashes --requirement "$lock" ||
        ! pip_install --no-deps --no-build-isolation --editable .; then
        rm -f .venv/.qb-installing # pip ended by itself and left nothing half done
        die "the installation failed; what pip said stands above. Run ./quick_start.sh again when it is mended"
    fi
    fingerprint run >.venv/.qb-lock-run
    [ "$dev" = no ] || fingerprint dev >.venv/.qb-lock-dev
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
[ "$dev" = no ] || level=dev
if is_installed "$level"; then
    say "Set up already: .venv holds what the lock asks for"
else
    install
fi

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
TEXT
