#!/bin/sh
# The programs of the tests that are no Python packages, where they may be installed: on Debian, as root or with sudo
# that asks nothing. Where they may not be, the tests that need them are skipped.
# - PostgreSQL: the tests start a server of their own; none is set up here.
# - promtool, for the alerts: the program alone, because Debian's package would start a server.
# - Chromium, for the pages, with a font that has the signs they show.
set -eu
wanted=""
command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || wanted="postgresql"
command -v chromium >/dev/null 2>&1 && command -v chromium-headless-shell >/dev/null 2>&1 \
	|| wanted="$wanted chromium chromium-headless-shell fonts-dejavu-core"
promtool=""
command -v promtool >/dev/null 2>&1 || promtool="promtool"
[ -n "$wanted$promtool" ] || exit 0
if [ "$(id -u)" = 0 ]; then as_root=""
elif sudo -n true 2>/dev/null; then as_root="sudo -n"
else as_root=no
fi
if [ "$as_root" = no ] || ! command -v apt-get >/dev/null 2>&1; then
	echo "Not installed and cannot be from here: $wanted $promtool. The tests that need them are skipped."
	exit 0
fi
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
	$as_root mkdir -p /etc/postgresql-common
	echo "create_main_cluster = false" | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
$as_root apt-get update -qq
if [ -n "$promtool" ]; then
	folder=$(mktemp -d)
	(cd "$folder" && apt-get download -qq -o APT::Sandbox::User=root prometheus && dpkg-deb -x prometheus_*.deb .)
	$as_root install "$folder/usr/bin/promtool" /usr/local/bin/promtool
	rm -rf "$folder"
fi
[ -n "$wanted" ] || exit 0
# shellcheck disable=SC2086 # a list of packages
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	-o Dpkg::Options::=--force-confold $wanted >/dev/null
