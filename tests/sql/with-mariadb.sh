#!/bin/sh
# Runs its arguments with a MariaDB server of their own: in a temporary
# directory, on a socket only, stopped and removed at the end.
# MAILROW_TEST_SOCKET names the socket; root there needs no password.
# MAILROW_TEST_DB_ARGS is added to the server's command line.
set -eu

test $# -gt 0 || { echo "usage: $0 COMMAND [ARGUMENT...]" >&2; exit 64; }
PATH=$PATH:/usr/sbin:/usr/libexec
dir=$(mktemp -d "${TMPDIR:-/tmp}/mr-sql.XXXXXX")
pid=

finish()
{
	status=$?
	trap - EXIT INT TERM HUP
	if [ -n "$pid" ]; then
		kill "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	fi
	rm -rf "$dir"
	exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

user=
if [ "$(id -u)" -eq 0 ]; then
	user=--user=mysql
	chown mysql "$dir"
	chmod 755 "$dir"
fi
mkdir "$dir/data" "$dir/tmp"
[ -z "$user" ] || chown mysql "$dir/data" "$dir/tmp"
# two servers in one directory for temporary tables take each other's
TMPDIR=$dir/tmp mariadb-install-db --no-defaults $user --datadir="$dir/data" --skip-test-db \
	--auth-root-authentication-method=normal >"$dir/install.log" 2>&1 || {
	cat "$dir/install.log" >&2
	exit 1
}
# shellcheck disable=SC2086
mariadbd --no-defaults $user --datadir="$dir/data" --tmpdir="$dir/tmp" --skip-networking \
	--socket="$dir/s" --pid-file="$dir/pid" --log-error="$dir/error.log" \
	${MAILROW_TEST_DB_ARGS-} >/dev/null 2>&1 &
pid=$!
n=0
until mariadb-admin --no-defaults --socket="$dir/s" --user=root ping \
	>/dev/null 2>&1; do
	n=$((n + 1))
	if [ $n -gt 300 ] || ! kill -0 "$pid" 2>/dev/null; then
		cat "$dir/error.log" >&2
		exit 1
	fi
	sleep 0.1
done
MAILROW_TEST_SOCKET=$dir/s
MAILROW_TEST_DIR=$dir
MAILROW_TEST_SERVER_PID=$pid
export MAILROW_TEST_SOCKET MAILROW_TEST_DIR MAILROW_TEST_SERVER_PID
"$@"
