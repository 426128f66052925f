#!/bin/sh
# Builds the console from web/ui into web/dist. What it is built with is installed in
# web/ui/node_modules where that is not as package-lock.json says; `install` does that alone.
set -eu
cd "$(dirname "$0")/../web/ui"

installed=node_modules/.installed
if ! cmp -s package-lock.json "$installed"; then
	npm ci --no-audit --no-fund
	cp package-lock.json "$installed"
fi
[ "${1:-}" = install ] || npm run --silent build
