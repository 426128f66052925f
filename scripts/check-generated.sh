#!/bin/sh
# Runs every go:generate line, builds the console, and fails if a file is not as it was: what is
# committed must be what the generators make. Leaves the new files in place.
set -eu
cd "$(dirname "$0")/.."

before=$(mktemp)
after=$(mktemp)
trap 'rm -f "$before" "$after"' EXIT

sums() {
	find . \( -path ./.git -o -path ./bin -o -path ./data -o -name node_modules \) -prune \
		-o -type f -exec sha256sum {} + | sort -k 2
}

sums >"$before"
go generate ./...
./scripts/build-ui.sh
sums >"$after"
if ! diff "$before" "$after" >/dev/null; then
	echo "these files were not up to date; commit them as they are now:" >&2
	diff "$before" "$after" | sed -n 's/^[<>] [0-9a-f]*  \.\//  /p' | sort -u >&2
	exit 1
fi
