#!/usr/bin/env bash
# Every check that CI runs: style, types, import contracts, tests. With --long, the proofs after that:
# hours; `python -m scripts.prove` lists them and runs one. With --lowest, the tests alone, in a venv of
# their own with the lowest versions that pyproject.toml declares, without the pictures of screens, which are
# those of the newest Textual; without it a new .venv has the newest.
set -euo pipefail
cd "$(dirname "$0")/.."
long=
if [ "${1-}" = --long ]; then
  long=yes
  shift
fi
if [ "${1-}" = --lowest ]; then
  shift
  export MAPCAP_VENV=${MAPCAP_VENV:-$PWD/.venv-lowest}
  CONSTRAINTS=$(mktemp)
  export CONSTRAINTS
  trap 'rm -f "$CONSTRAINTS"' EXIT
  "${PYTHON:-python3}" -m scripts.lowest > "$CONSTRAINTS"
  scripts/setup.sh --group dev
  "$MAPCAP_VENV/bin/pytest" --ignore tests/tui/test_snapshots.py "$@"
  exit
fi
scripts/setup.sh --group dev
bin=.venv/bin
$bin/ruff check .
$bin/ruff format --check .
$bin/mypy
$bin/lint-imports
$bin/pytest "$@"
if [ -n "$long" ]; then
  $bin/python -m scripts.prove all
fi
