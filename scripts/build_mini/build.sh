#!/usr/bin/env bash
# Build the embedded networks from their sources: about two hours on two cores with bfloat16.
# usage: scripts/build_mini/build.sh WORK DATA WORDNET STAMPS
#   WORK     folder for everything that is made (about 5 GB)
#   DATA     folder of the photos' archives and the captions
#   WORDNET  folder of WordNet 3.0's data.noun (Debian: wordnet-base, usr/share/wordnet)
#   STAMPS   folder of Tux Paint's stamps (Debian: tuxpaint-stamps-default, usr/share/tuxpaint/stamps)
set -euo pipefail
if [ $# -ne 4 ]; then
  sed -n '2,7s/^# //p' "$0"
  exit 2
fi
mkdir -p "$1"
work=$(realpath "$1") data=$(realpath "$2") wordnet=$(realpath "$3") stamps=$(realpath "$4")
cd "$(dirname "$0")/../.."
python=${PYTHON:-.venv/bin/python}
step() {
  local begun=$SECONDS
  "$python" -m scripts.build_mini "$@" --work "$work"
  printf '%s: %s s\n' "$1" $((SECONDS - begun)) | tee -a "$work/seconds.txt"
}
step sources
step convert
step emoji
step cache --data "$data" --stamps "$stamps"
step looks --data "$data" --wordnet "$wordnet"
step train --data "$data" --wordnet "$wordnet" --stamps "$stamps"
step features --data "$data" --wordnet "$wordnet" --stamps "$stamps"
step words --data "$data" --wordnet "$wordnet" --stamps "$stamps"
step assemble --minilm "$work/minilm"
step best --data "$data" --wordnet "$wordnet" --stamps "$stamps"
step refine --data "$data" --stamps "$stamps"
step assemble --minilm "$work/minilm" --refined
echo "built in $((SECONDS / 60)) min" | tee -a "$work/seconds.txt"
step evaluate --data "$data" --json "$work/figures.json"
"$python" -m scripts.concept_reliability --photos "$work/photos/flickr8k" \
  --captions "$data/flickr8k-captions.tsv"
