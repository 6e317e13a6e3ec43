#!/usr/bin/env bash
# Make .venv with MapCap and what it needs. Sourced by demo.sh and test.sh; safe to run again.
#   scripts/setup.sh GROUP...   e.g. scripts/setup.sh --group dev
# MAPCAP_VENV is another folder than .venv, CONSTRAINTS a file of versions for pip.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "MapCap needs Python 3.11 or newer; '$python' is not. Set PYTHON to one that is." >&2
    exit 1
fi
venv=${MAPCAP_VENV:-$root/.venv}
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
# pyproject.toml unchanged since the last install: nothing to do.
stamp="$venv/installed$(printf '%s' "$*" | tr -c 'a-z0-9' '-')"
if ! cmp -s "$root/pyproject.toml" "$stamp"; then
    echo "Installing MapCap into $venv (the first time takes some minutes: torch is large) ..." >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
    (cd "$root" && "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        ${CONSTRAINTS:+-c "$CONSTRAINTS"} -e '.[index]' "$@")
    cp "$root/pyproject.toml" "$stamp"
fi
