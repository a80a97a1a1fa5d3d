#!/bin/sh
# The steps of a release that need this checkout (docs/release.md). Nothing is published here.
#   deploy/release.sh check           may this commit be released, on this base image
#   deploy/release.sh files           dist/: the wheel, the SBOM, their checksums
#   deploy/release.sh image NAME      the image NAME:VERSION, on the base image BASE_DIGEST (needs a container engine)
set -eu
cd "$(dirname "$0")/.."
refuse() { echo "Not released: $1" >&2; exit 2; }

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)

check() {
	printf '%s\n' "${BASE_DIGEST:-}" | grep -Eqx 'sha256:[0-9a-f]{64}' \
		|| refuse "BASE_DIGEST must be the digest of python:3.13-slim, sha256: and 64 hexadecimal digits."
	newest=$(sed -n 's/^## //p' CHANGELOG.md | head -n 1)
	[ "$newest" = "$version" ] || refuse "CHANGELOG.md begins with $newest and pyproject.toml says $version."
	[ -z "$(git status --porcelain)" ] || refuse "the checkout has changes that are not committed."
	[ "$(git describe --exact-match --tags HEAD 2>/dev/null)" = "v$version" ] || refuse "HEAD has no tag v$version."
	echo "$version may be released on $BASE_DIGEST"
}

case "${1:-}" in
check)
	check
	;;
files)
	check
	rm -rf dist
	.venv/bin/python -m hatchling build -t wheel
	make sbom
	(cd dist && sha256sum -- * >SHA256SUMS && cat SHA256SUMS)
	;;
image)
	check
	[ -n "${2:-}" ] || refuse "say the name of the image."
	docker build --pull --build-arg "BASE_DIGEST=$BASE_DIGEST" --label "org.opencontainers.image.version=$version" \
		--label "org.opencontainers.image.revision=$(git rev-parse HEAD)" --tag "$2:$version" .
	;;
*)
	refuse "say check, files or image NAME."
	;;
esac
