#!/usr/bin/env bash
# Every check that CI runs: style, types, import contracts, tests. With --long, the proofs after that:
# hours; `python -m scripts.prove` lists them and runs one.
set -euo pipefail
cd "$(dirname "$0")/.."
long=
if [ "${1-}" = --long ]; then
  long=yes
  shift
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
