#!/bin/sh
# Builds packaging/docker/Dockerfile by buildah and runs what came of it, without a registry: to build
# with, an image of this machine's Go, modules and a shell is made; to run on, an empty one. As root, on
# Debian and Ubuntu: apt-get install buildah busybox-static. Takes a minute or two.
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
tool() { buildah --root "$work/images" --runroot "$work/run" "$@"; }
trap 'tool rm --all >/dev/null; tool rmi --all --force >/dev/null; rm -rf "$work"' EXIT

build=$(tool from scratch)
tool copy --quiet "$build" "$(go env GOROOT)" /usr/local/go >/dev/null
tool copy --quiet "$build" "$(command -v busybox)" /bin/busybox >/dev/null
mkdir -p "$work/links/bin" "$work/links/tmp"
for name in sh mkdir; do ln -s busybox "$work/links/bin/$name"; done
tool copy --quiet "$build" "$work/links" / >/dev/null
# The modules that are here already, as a file tree: nothing is downloaded.
tool config --env PATH=/usr/local/go/bin:/bin --env GOPATH=/go --env GOCACHE=/tmp/cache --env HOME=/tmp \
	--env GOTOOLCHAIN=local --env GOPROXY=off --env GOFLAGS=-mod=mod --env GOSUMDB=off "$build"
tool commit --quiet "$build" local/build >/dev/null

tool build --quiet --format docker --file packaging/docker/Dockerfile --build-arg BUILD=local/build --build-arg BASE=scratch \
	--volume "$(go env GOMODCACHE):/go/pkg/mod" --volume "$(go env GOCACHE):/tmp/cache" --tag local/centrala . >/dev/null

image=$(tool from local/centrala)
tool inspect --type image --format 'user {{.Docker.Config.User}}, entry {{.Docker.Config.Entrypoint}}, command {{.Docker.Config.Cmd}}, health {{.Docker.Config.Healthcheck.Test}}{{"\n"}}' local/centrala
tool run "$image" -- /usr/bin/centrala version
# The data folder is that of its user, who is a number.
root=$(tool mount "$image")
test "$(stat -c %u "$root/var/lib/centrala")" = 65532
