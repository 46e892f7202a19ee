#!/bin/sh
# Run by the trainer's container: imports the ratings of a data set, trains and activates a model.
set -eu
foldin data fetch "$1" --json >/tmp/fetched.json
# If GroupLens can't be reached, another data set was fetched instead of the named one.
name=$(python -c 'import json; print(json.load(open("/tmp/fetched.json"))["name"])')
foldin ratings import "$name"
exec foldin train "$name"
