#!/bin/sh
# measure.sh LEVEL FLAG FLAG FLAG: builds the program with these flags and with -O2 and runs both in turns. Prints
# the time of the one per time of the other, as the geometric mean over the pairs of runs, with its 95 % interval: both runs of
# a pair meet the machine in the same state, and the pairs tell how far they scatter all the same.
set -e
here=$(dirname "$0")
g++ -O2 -o before "$here/program.cpp"
g++ "$1" "$2" "$3" "$4" -o after "$here/program.cpp"
rm -f before.times after.times
for _ in 1 2 3 4 5 6 7 8 9; do
    ./before before.times
    ./after after.times
done
paste before.times after.times | awk '
    { ratio = log($2 / $1); sum += ratio; squares += ratio * ratio }
    END {
        mean = sum / NR
        scatter = (squares - NR * mean * mean) / (NR - 1)
        half = 2.306 * sqrt(scatter > 0 ? scatter / NR : 0) # of Student, for 9 pairs
        printf "METRIC relative_time=%.4f\n", exp(mean)
        printf "METRIC at_least=%.4f\nMETRIC at_most=%.4f\n", exp(mean - half), exp(mean + half)
    }'
awk -v bytes="$(wc -c <after)" 'BEGIN { printf "METRIC program_kb=%.1f\n", bytes / 1024 }'
