#!/bin/sh
# Runs every fuzz test of the module, one after another.
# Usage: fuzz.sh [time for each, as 20s or 5m]
set -eu
cd "$(dirname "$0")/.."
each=${1:-20s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# fuzz runs one test. The tool now and then ends a run that found nothing with
# "context deadline exceeded", when the time is over in the middle of an input:
# that is no failure, unlike one that leaves a failing input.
fuzz() {
	if go test -run '^$' -fuzz "$1" -fuzztime "$each" -fuzzminimizetime 1000x "$2" >"$log" 2>&1; then
		tail -n 1 "$log"
	elif grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input' "$log"; then
		echo "ok (time over)"
	else
		cat "$log"
		return 1
	fi
}

tests=$(grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sort)
for test in $(echo "$tests" | sed 's/func //'); do
	echo "fuzz $test"
	fuzz "^${test##*:}\$" "$(dirname "${test%%:*}")"
done
