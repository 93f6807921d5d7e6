#!/bin/sh
# check_size.sh: the rule of Parameter Golf: compressed weights and script together have at most 16,000,000 bytes.
weights=$(find . -name '*.int8.ptz' -type f | head -n 1)
[ -n "$weights" ] || { echo "the run left no *.int8.ptz" >&2; exit 1; }
bytes=$(cat "$weights" files/train_gpt*.py | wc -c)
[ "$bytes" -le 16000000 ] || { echo "weights and script have $bytes bytes, over 16000000" >&2; exit 1; }
