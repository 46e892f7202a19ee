#!/bin/sh
# What the trainer's container runs: ratings in, an activated model out. Takes the name of a data set.
set -eu
foldin data fetch "$1" --json >/tmp/fetched.json
# Where GroupLens can't be reached another data set takes the place of the one named.
name=$(python -c 'import json; print(json.load(open("/tmp/fetched.json"))["name"])')
foldin ratings import "$name"
exec foldin train "$name"
