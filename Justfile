# The parts of the house; `just` lists them. ./quick_start.sh and ./run_tests.sh work without just.

export PATH := justfile_directory() / ".venv/bin:" + env("PATH")

_default:
    @just --list --unsorted

# make .venv with what development needs
setup:
    ./quick_start.sh --dev --no-run

# every check; arguments go to pytest
test *args:
    ./run_tests.sh {{ args }}

# format, lint, types and import layers
lint:
    ruff format .
    ruff check --fix .
    mypy
    lint-imports

# write the generated parts of the documentation anew
docs:
    cog -r -I tools README.md docs/*.md

# bring the Korean catalogue up to date and compile it
messages:
    python tools/messages.py
    python tools/messages.py compile

# events per second and memory
bench *args:
    python benchmarks/run.py {{ args }}

# malformed input for every reader of KIS's wire: --inputs 1000000 --seed 1
fuzz *args:
    nice python -m tests.adapters.kis.fuzz {{ args }}

# worlds in which much goes wrong, by the hundred thousand: --seed 2000000 --runs 1000
worlds *args:
    nice qb chaos --seed 1000000 --runs 100000 {{ args }}

# every point at which a process can end, three times in a row, killed and without power
crash-points *args:
    nice qb chaos --crash-points --seed 8 {{ args }}

# plant known bugs one by one and count the seeds until the simulator of faults catches each
planted *args:
    nice python tools/planted.py {{ args }}

# what a session costs on the wire, and how long an order takes to leave
bench-live:
    python benchmarks/stream.py
    python benchmarks/latency.py

# what PostgreSQL and Redis take, beside their bare limits, and what they do to the engines when they are paused or dead
bench-stores *args:
    python benchmarks/stores.py {{ args }}

# one whole day through `qb live` at speed 60, its books compared with the emulator's
day *args:
    python benchmarks/day.py {{ args }}

# kill -9 a session again and again, and compare intents, orders, fills and books with the emulator's
kills *args:
    python benchmarks/kills.py {{ args }}

# write the golden sessions anew; read the difference before keeping it
golden:
    QB_TEST_GOLDEN=write pytest tests/golden

# write the locked dependencies anew; --upgrade takes newer versions
lock *args:
    tools/lock.sh {{ args }}
