# shellcheck shell=bash disable=SC2154
# sandbox.d/common.sh: messages, processes, ports, the directory.

# die [EXIT CODE] TEXT
die()
{
	local code=1
	[[ $1 =~ ^[0-9]+$ ]] && { code=$1; shift; }
	printf 'sandbox: %s\n' "$*" >&2
	exit "$code"
}

need_root()
{
	[ "$(id -u)" = 0 ] || die 77 "must be root: the daemons run as users of their own"
}

need_commands()
{
	local c
	for c in "$@"; do
		command -v "$c" >/dev/null ||
			die 69 "cannot find '$c' (packaging/install-packages run)"
	done
}

assign()
{
	printf '%s=%q\n' "$1" "$2"
}

# Ports

CLAIMS=/run/lock/mailrow-sandbox

port_number()
{
	if [[ $1 =~ ^[0-9]{1,5}$ ]] && [ "$1" -ge 1 ] && [ "$1" -le 65535 ]; then
		printf '%s' "$1"
	else
		die 64 "'$1' is no port number"
	fi
}

# Nobody listens there, as the kernel's own table says (state 0A).
port_is_free()
{
	local hex
	hex=$(printf ':%04X ' "$1")
	! grep -qE "^ *[0-9]+: [0-9A-F]+$hex[0-9A-F:]+ 0A" /proc/net/tcp \
		/proc/net/tcp6 2>/dev/null
}

# Sets first: six ports in a row, below the range from which the kernel gives
# ports to clients. They are this sandbox's, running or stopped, as long as a
# link to it says so and it is there.
claim_ports()
{
	local link
	exec 7>"$CLAIMS.lock"
	flock 7
	while :; do
		first=$((20000 + RANDOM % 2000 * 6))
		link=$CLAIMS.$first
		[ -e "$link/lock" ] || rm -f "$link"
		all_free && ln -s "$dir" "$link" 2>/dev/null && break
	done
	exec 7>&-
}

all_free()
{
	local p
	for p in 0 1 2 3 4 5; do
		port_is_free $((first + p)) || return 1
	done
}

release_ports()
{
	find "${CLAIMS%/*}" -maxdepth 1 -name "${CLAIMS##*/}.*" -lname "$dir" -delete
}

# Processes. run/PART.pid holds "PID STARTTIME", so that a number the kernel
# has given to somebody else since is never taken for ours.

start_time()
{
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	# shellcheck disable=SC2086
	set -- ${stat##*) }
	[ "$1" != Z ] && printf '%s' "${20}"
}

note_pid()
{
	printf '%s %s\n' "$2" "$(start_time "$2")" >"$dir/run/$1.pid"
}

pid_of()
{
	local pid time
	{ read -r pid time <"$dir/run/$1.pid"; } 2>/dev/null || return 1
	[ "$(start_time "$pid")" = "$time" ] && printf '%s' "$pid"
}

is_running()
{
	pid_of "$1" >/dev/null
}

# spawn PART COMMAND...: in a session of its own, log to log/PART.log.
spawn()
{
	local part=$1
	shift
	setsid "$@" </dev/null >>"$dir/log/$part.log" 2>&1 9>&- &
	note_pid "$part" $!
}

# wait_for SECONDS WHAT PART TEST...: polls; fails at once when the part dies.
wait_for()
{
	local end=$((SECONDS + $1)) what=$2 part=$3
	shift 3
	until "$@"; do
		if [ -n "$part" ] && ! is_running "$part"; then
			show_log "$part"
			die "$what: $part ended"
		fi
		if [ $SECONDS -ge $end ]; then
			[ -z "$part" ] || show_log "$part"
			die "$what: not after waiting"
		fi
		sleep 0.02
	done
}

show_log()
{
	local f=$dir/log/$1.log
	[ ! -s "$f" ] || tail -n 12 "$f" | sed "s/^/  $1: /" >&2
	if [ "$1" = postfix ] && [ -s "$dir/log/maillog" ]; then
		tail -n 12 "$dir/log/maillog" | sed 's/^/  maillog: /' >&2
	fi
}

# TERM, then after a while KILL to the whole process group.
stop_part()
{
	local part=$1 pid n=0
	if pid=$(pid_of "$part"); then
		kill -TERM "$pid" 2>/dev/null
		while is_running "$part" && [ $n -lt 500 ]; do
			sleep 0.02
			n=$((n + 1))
		done
		if is_running "$part"; then
			printf 'sandbox: %s did not stop, killing it\n' \
				"$part" >&2
			kill -KILL -- "-$pid" 2>/dev/null
		fi
	fi
	stop_group "$part"
	rm -f "$dir/run/$part.pid"
}

# What a part that died by itself has left: its session lives on without it.
stop_group()
{
	local pid time p
	{ read -r pid time <"$dir/run/$1.pid"; } 2>/dev/null || return 0
	for p in $(pgrep -s "$pid"); do
		is_younger "$p" && kill -KILL "$p" 2>/dev/null
	done
	return 0
}

# It began after what we noted then: the session's number is not a new one's.
is_younger()
{
	local began
	began=$(start_time "$1") && [ "$began" -ge "${time:-0}" ]
}

# The directory. Daemons that are not root must get through to it, its name
# goes into files that know no quotes, and a socket's path has 108 octets at
# most: where DIR does not fit, it becomes a link to one that does.

fits()
{
	local path=$1
	[[ $path =~ ^[A-Za-z0-9/._+-]+$ ]] && [ ${#path} -le 75 ] || return 1
	while [ "$path" != / ]; do
		path=$(dirname "$path")
		[ $((0$(stat -L -c %a "$path") & 1)) = 1 ] || return 1
	done
}

make_place()
{
	local real
	mkdir -p "$(dirname "$dir")" || exit 73
	real=$(readlink -f "$dir") || die 73 "cannot resolve '$dir'"
	if [ -e "$real" ] && [ ! -d "$real" ]; then
		die 73 "'$dir' is no directory"
	fi
	if [ -d "$real" ] && [ ! -f "$real/etc/state" ] && [ ! -f "$real/lock" ] &&
		[ -n "$(ls -A "$real")" ]; then
		die 73 "'$dir' holds something else"
	fi
	if [ ! -d "$real" ] && ! fits "$real"; then
		real=$(mktemp -d /var/tmp/mailrow-sandbox.XXXXXX) || exit 73
		ln -sfn "$real" "$dir" || exit 73
	fi
	mkdir -p "$real" && chmod 755 "$real" || exit 73
	fits "$real" || die 73 "'$real' cannot hold a sandbox: its path is too long, has unusual characters, or a directory above is closed to other users"
	dir=$real
}

# What a start has left that came no further than to the lock, or nothing.
remove_unfinished()
{
	[ -e "$dir" ] || [ -L "$dir" ] || return 0
	[ -f "$dir/lock" ] || die 66 "'$dir' is no sandbox"
	dir=$(readlink -f "$dir")
	remove_place
}

remove_place()
{
	release_ports
	rm -rf -- "$dir"
	if [ -L "$given" ]; then rm -f -- "$given"; fi
}

# One certificate for Postfix and mailrow-pop3d, its own authority.
make_certificate()
{
	local cert=$dir/etc/tls/cert.pem key=$dir/etc/tls/key.pem
	[ ! -s "$cert" ] || return 0
	(umask 077 && openssl req -x509 -newkey ec \
		-pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 \
		-subj /CN=mx.example.test \
		-addext 'subjectAltName=DNS:mx.example.test,DNS:localhost,IP:127.0.0.1' \
		-keyout "$key" -out "$cert.new") >"$dir/log/certificate.log" 2>&1 &&
		chmod 644 "$cert.new" && mv "$cert.new" "$cert" || {
		show_log certificate
		die "cannot make a certificate"
	}
}
