# shellcheck shell=bash disable=SC2154,SC2034
# sandbox.d/programs.sh: Mailrow's own programs, users and configuration.

USERS="mailrow-milter mailrow-lmtp mailrow-auth mailrow-pop3 mailrow-login \
	mailrow-purge"
built=${MAILROW_BUILD:-}

# Sets program_<part>, tool_program, profiles and sql.
find_programs()
{
	local top=${here%/*}
	if [ -z "$built" ] && [ -f "$top/configure.ac" ]; then
		built=$top/build
		[ -f "$built/Makefile" ] || built=$top
	fi
	if [ -n "$built" ]; then
		built=$(cd "$built" 2>/dev/null && pwd) ||
			die 66 "no build in '$built'"
		profiles=$top/sql/profiles sql=$top/sql
		program_milter=$built/milter/mailrow-milter
		program_lmtpd=$built/lmtpd/mailrow-lmtpd
		program_authd=$built/auth/mailrow-authd
		program_pop3d=$built/pop3d/mailrow-pop3d
		tool_program=$built/ctl/mailrow
	else
		find_installed
	fi
	for p in "$program_milter" "$program_lmtpd" "$program_authd" \
		"$program_pop3d" "$tool_program"; do
		[ -x "$p" ] || die 66 "cannot find '$p': build or install Mailrow first"
	done
}

# Installed: this script lies in PREFIX/share/mailrow.
find_installed()
{
	local prefix=${here%/share/*}
	profiles=$here/profiles sql=$here/sql
	program_milter=$prefix/sbin/mailrow-milter
	program_lmtpd=$prefix/sbin/mailrow-lmtpd
	program_authd=$prefix/sbin/mailrow-authd
	program_pop3d=$prefix/sbin/mailrow-pop3d
	tool_program=$prefix/bin/mailrow
}

tool()
{
	"$tool_program" -c "$dir/etc/mailrow/mailrow.conf" "$@"
}

# Another sandbox may be making the same user: then it is there afterwards.
make_users()
{
	local u n
	# shellcheck disable=SC2086
	getent passwd $USERS >/dev/null && return
	for u in $USERS; do
		for n in 1 2 3 4 5; do
			getent passwd "$u" >/dev/null && continue 2
			/usr/sbin/useradd --system --user-group --no-create-home \
				--home-dir /nonexistent --shell /usr/sbin/nologin \
				"$u" 2>/dev/null || sleep 0.5
		done
		die 77 "cannot make the user '$u'"
	done
}

# folder MODE OWNER:GROUP PATH
folder()
{
	install -d -m "$1" -o "${2%:*}" -g "${2#*:}" "$dir/$3" ||
		die 73 "cannot make '$dir/$3'"
}

make_folders()
{
	folder 755 root:root etc/mailrow/conf.d
	folder 755 root:root etc/mailrow/profiles
	folder 755 root:root etc/mailrow/sql
	folder 755 root:root etc/postfix
	folder 755 root:root etc/tls
	folder 755 root:root log
	folder 755 root:root run
	folder 755 root:root run/status
	folder 700 root:root run/control
	folder 755 mysql:mysql run/db
	folder 2750 mailrow-milter:postfix run/milter
	folder 2750 mailrow-lmtp:postfix run/lmtp
	folder 2750 mailrow-auth:postfix run/auth
	folder 2750 mailrow-auth:mailrow-pop3 run/pop3
	# two daemons put files without a name here
	folder 1733 root:root spool
	folder 755 nobody:nogroup sink
	# test builds take their fault points from here, as any of the users
	folder 777 root:root fault
}

# option_file PROGRAM DBUSER READER [SOCKET]
option_file()
{
	printf '[%s]\nsocket = %s\nuser = %s\ndatabase = mailrow\n' \
		"$1" "${4:-$dir/run/db/db.sock}" "$2" >"$dir/etc/mailrow/$1.cnf"
	chown "root:$3" "$dir/etc/mailrow/$1.cnf"
	chmod 640 "$dir/etc/mailrow/$1.cnf"
}

# The daemons read profiles as users who need not get into a build tree.
write_conf()
{
	local file=$dir/etc/mailrow/mailrow.conf
	cp "$profiles"/*.conf "$dir/etc/mailrow/profiles/"
	cp "$sql"/*.sql "$dir/etc/mailrow/sql/"
	option_file mailrow-milter mailrow-milter mailrow-milter "$db_socket"
	option_file mailrow-lmtpd mailrow-lmtp mailrow-lmtp "$db_socket"
	option_file mailrow-authd mailrow-auth mailrow-auth "$db_socket"
	option_file mailrow-pop3d mailrow-pop3 mailrow-pop3 "$db_socket"
	option_file mailrow-admin root root
	option_file mailrow-purge mailrow-purge mailrow-purge
	cat >"$file.new" <<CONF
# written by sandbox start
log_to = stderr
hostname = mx.example.test
counter_dir = $dir/run/status
pop3_control_socket = $dir/run/control/pop3d
option_dir = $dir/etc/mailrow
profile = $profile
profile_dir = $dir/etc/mailrow/profiles
sql_dir = $dir/etc/mailrow/sql
mta_domains = mx.example.test
mta_config_dir = $dir/etc/postfix
milter_socket = local:$dir/run/milter/milter.sock
discard_when_done = yes
lmtp_listen = unix:$dir/run/lmtp/lmtp
lmtp_forward = smtp://127.0.0.1:$forward_port
spool_dir = $dir/spool
auth_socket = $dir/run/auth/auth
auth_pop3_socket = $dir/run/pop3/auth
auth_saslauthd_socket = $dir/run/auth/saslauthd
pop3_listen = 127.0.0.1:$pop3_port
pop3s_listen = 127.0.0.1:$pop3s_port
tls_cert = $dir/etc/tls/cert.pem
tls_key = $dir/etc/tls/key.pem
# nothing leaves this host, and a first look goes without TLS
require_tls = no
# every client of a sandbox has the same address, and there are few accounts
pop3_max_per_address = 1000
auth_attackers = shadow
pop3_max_per_account = 1000
CONF
	mv "$file.new" "$file"
	if [ ${#conf_lines[@]} -gt 0 ]; then
		printf '%s\n' "${conf_lines[@]}" \
			>"$dir/etc/mailrow/conf.d/start.conf"
	fi
}

daemon_start()
{
	local program=program_$1
	rm -f "$dir/run/$(daemon_socket "$1")"
	# shellcheck disable=SC2086
	MAILROW_FAULT_DIR=$dir/fault spawn "$1" ${MAILROW_UNDER:-} "${!program}" \
		-c "$dir/etc/mailrow/mailrow.conf"
}

daemon_socket()
{
	case $1 in
	milter) echo milter/milter.sock ;;
	lmtpd) echo lmtp/lmtp ;;
	authd) echo auth/auth ;;
	pop3d) echo pop3/none ;;
	esac
}

part_ready()
{
	local say="cannot start mailrow-$1" socket
	case $1 in
	milter | lmtpd | authd)
		socket=$dir/run/$(daemon_socket "$1")
		wait_for 20 "$say" "$1" test -S "$socket"
		;;
	pop3d) wait_for 20 "$say" pop3d greets "$pop3_port" +OK ;;
	postfix) postfix_ready ;;
	esac
}

# greets PORT START: a server on that port speaks first, and well.
greets()
{
	local line=
	{ exec 8<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || return 1
	IFS= read -r -t 5 -u 8 line
	exec 8>&-
	[[ $line = "$2"* ]]
}
