#!/bin/sh
# PostgreSQL's programs for the tests, where they may be installed: on Debian, as root or with sudo that asks nothing.
# The tests start a server of their own; none is set up here. Where it may not be, the tests that need it are skipped.
set -eu
command -v initdb >/dev/null 2>&1 && exit 0
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ]; then as_root=""
elif sudo -n true 2>/dev/null; then as_root="sudo -n"
else as_root=no
fi
if [ "$as_root" = no ] || ! command -v apt-get >/dev/null 2>&1; then
	echo "PostgreSQL is not installed and cannot be from here: the tests that need it are skipped."
	exit 0
fi
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
	$as_root mkdir -p /etc/postgresql-common
	echo "create_main_cluster = false" | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	-o Dpkg::Options::=--force-confold postgresql >/dev/null
