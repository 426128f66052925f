#!/bin/sh
# Runs every fuzz test of the module, one after another.
# Usage: fuzz.sh [time for each, as 20s or 5m]
set -eu
cd "$(dirname "$0")/.."
each=${1:-20s}

tests=$(grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sort)
for test in $(echo "$tests" | sed 's/func //'); do
	echo "fuzz $test"
	go test -run '^$' -fuzz "^${test##*:}\$" -fuzztime "$each" "$(dirname "${test%%:*}")"
done
