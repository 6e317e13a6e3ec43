#!/usr/bin/env bash
# MapCap on a fresh machine, no model hub and no GPU: install, index the built-in sample, browse it.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
db=${1:-out/sample.db}
mkdir -p "$(dirname "$db")"
.venv/bin/mapcap index sample --db "$db"
if [ -t 0 ] && [ -t 1 ] && .venv/bin/mapcap browse --help >/dev/null 2>&1; then
    exec .venv/bin/mapcap browse "$db"
fi
exec .venv/bin/mapcap classes "$db"
