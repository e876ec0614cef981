# shellcheck shell=bash disable=SC2154
# sandbox.d/db.sh: a private MariaDB: own files, own socket, no network, and
# nothing of the system's configuration. Users log in by being who they are
# (unix_socket); no password exists.

db_client()
{
	mariadb --no-defaults --batch --skip-column-names \
		--socket="$dir/run/db/db.sock" --user=root "$@"
}

# A server that starts removes the temporary tables of all others in its
# directory for them, so that is its own: never /tmp. Made aside and moved into
# place, so that half a database is never started.
db_make()
{
	folder 700 mysql:mysql db.tmp
	[ ! -d "$dir/db" ] || return 0
	rm -rf "$dir/db.new"
	if [ -n "${MAILROW_DB_TEMPLATE:-}" ]; then
		db_copy "$MAILROW_DB_TEMPLATE" "$dir/db.new"
	else
		db_install "$dir/db.new"
	fi
	mv "$dir/db.new" "$dir/db"
}

db_install()
{
	install -d -m 700 -o mysql -g mysql "$1" &&
		TMPDIR=$dir/db.tmp mariadb-install-db --no-defaults \
			--datadir="$1" --user=mysql --skip-test-db \
			--auth-root-authentication-method=socket \
			>"$dir/log/mariadb-install-db.log" 2>&1 || {
		show_log mariadb-install-db
		die "cannot make a database in '$1'"
	}
}

# db_copy TEMPLATE DIR: who comes first makes the template. Most of it is a log
# of zeroes, which takes no room.
db_copy()
{
	(
		flock 7
		[ -d "$1" ] || { db_install "$1.new" && mv "$1.new" "$1"; }
	) 7>"$1.lock" && cp -a --sparse=always "$1" "$2" ||
		die "cannot copy a database from '$1'"
}

db_start()
{
	db_make
	rm -f "$dir/run/db/db.sock"
	# shellcheck disable=SC2086
	spawn db mariadbd --no-defaults --user=mysql --datadir="$dir/db" \
		--tmpdir="$dir/db.tmp" --socket="$dir/run/db/db.sock" --pid-file="$dir/run/db/db.pid" \
		--skip-networking --skip-name-resolve $db_args
}

db_answers()
{
	[ -S "$dir/run/db/db.sock" ] && db_client -e 'SELECT 1' >/dev/null 2>&1
}

db_ready()
{
	wait_for 60 "cannot start the database" db db_answers
}

# Schema and rights by our own tool; Postfix may read which domains are ours.
db_fill()
{
	db_client -e 'CREATE DATABASE IF NOT EXISTS mailrow' || exit 1
	if ! db_client mailrow -e 'SELECT version FROM schema_version' \
		>/dev/null 2>&1; then
		tool schema install >"$dir/log/schema.log" 2>&1 || {
			show_log schema
			die "cannot install the schema"
		}
	fi
	tool schema grants >"$dir/etc/mailrow/grants.out" || exit 1
	db_client mailrow <"$dir/etc/mailrow/grants.out" ||
		die "cannot grant rights"
	db_client mailrow <<-'SQL' || die "cannot grant rights to Postfix"
		CREATE USER IF NOT EXISTS postfix@localhost IDENTIFIED VIA unix_socket;
		GRANT SELECT (name, active) ON mailrow.domain TO postfix@localhost;
	SQL
}
