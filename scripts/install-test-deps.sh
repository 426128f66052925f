#!/bin/sh
# Installs what the tests use besides Go, on Debian and Ubuntu: sipp (a carrier),
# baresip and linphone (phones), lame and sox (sound files), tshark (reads capture files),
# node and Chromium (build and drive the console), and PostgreSQL, of which the tests start servers of their own: Debian's is neither made
# nor started. Does nothing when they are there already.
set -eu
cd "$(dirname "$0")/.."

missing=""
command -v sipp >/dev/null || missing="$missing sip-tester"
command -v baresip >/dev/null || missing="$missing baresip-core"
command -v linphonec >/dev/null || missing="$missing linphone-cli" # 41 MB in 80 packages
command -v lame >/dev/null || missing="$missing lame"
command -v sox >/dev/null || missing="$missing sox"
command -v tshark >/dev/null || missing="$missing tshark"
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
command -v python3 >/dev/null || missing="$missing python3" # verifies a webhook as docs/guides/api.md shows
command -v chromium >/dev/null || missing="$missing chromium"
command -v gcc >/dev/null || missing="$missing gcc libc6-dev" # the race detector
command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
if [ -z "$missing" ]; then
	exec ./scripts/build-ui.sh install
fi

if ! command -v apt-get >/dev/null; then
	echo "please install:$missing (Debian's names); there is no apt-get here" >&2
	exit 1
fi
root=""
[ "$(id -u)" -eq 0 ] || root="sudo"
$root apt-get update
case "$missing" in
*postgresql*) # its package makes and starts a server unless told otherwise
	$root mkdir -p /etc/postgresql-common/createcluster.d
	echo "create_main_cluster = false" | $root tee /etc/postgresql-common/createcluster.d/centrala.conf >/dev/null
	;;
esac
# shellcheck disable=SC2086 # a list of packages
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
exec ./scripts/build-ui.sh install
