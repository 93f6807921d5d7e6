#!/bin/sh
# measure.sh LEVEL FLAG FLAG FLAG INLINE_LIMIT: builds the program with these flags and with -O2, runs both in turns, and
# prints the shortest time of the one per shortest time of the other.
set -e
here=$(dirname "$0")
g++ -O2 -o before "$here/program.cpp"
g++ "$1" "$2" "$3" "$4" "--param=max-inline-insns-auto=$5" -o after "$here/program.cpp"
for _ in 1 2 3 4 5; do
    ./before before.times
    ./after after.times
done
awk 'FNR == 1 { ++file } !(file in least) || $1 < least[file] { least[file] = $1 }
     END { printf "METRIC relative_time=%.4f\n", least[2] / least[1] }' before.times after.times
awk -v bytes="$(wc -c <after)" 'BEGIN { printf "METRIC program_kb=%.1f\n", bytes / 1024 }'
