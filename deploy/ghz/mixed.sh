#!/bin/sh
# Reads, look-ups and writes at the same time: ghz makes one kind of call a run, so three run together.
# Start it in the root of the checkout. A report of each is left in the folder named first (default: reports).
set -eu
reports=${1:-reports}
mkdir -p "$reports"
run() { ghz --config "deploy/ghz/$1.json" --output "$reports/ghz-$1.txt" & }
run mixed; first=$!
run similar; second=$!
run submit; third=$!
wait $first; wait $second; wait $third
cat "$reports"/ghz-mixed.txt "$reports"/ghz-similar.txt "$reports"/ghz-submit.txt
