#!/bin/sh
# Three loads at once, as ghz makes one kind of call a run. Start it in the root of the checkout.
# The first argument is the folder for their reports (default: reports).
set -eu
reports=${1:-reports}
mkdir -p "$reports"
run() { ghz --config "deploy/ghz/$1.json" --output "$reports/ghz-$1.txt" & }
run mixed; first=$!
run similar; second=$!
run submit; third=$!
wait $first; wait $second; wait $third
cat "$reports"/ghz-mixed.txt "$reports"/ghz-similar.txt "$reports"/ghz-submit.txt
