# shellcheck shell=bash disable=SC2154
# sandbox.d/postfix.sh: a private Postfix with own settings, queue and log,
# and the sink that takes the mail it sends abroad.

postfix_job=

sink_start()
{
	spawn sink smtp-sink -u nobody -d "$dir/sink/%Y%m%d%H%M%S." \
		"127.0.0.1:$sink_port" 100
}

postfix_start()
{
	postfix_main
	postfix_master
	folder 755 root:root postfix
	folder 755 root:root postfix/queue
	folder 700 postfix:root postfix/data
	# postsuper, which is not root, tells of what a killed Postfix left
	[ -e "$dir/log/maillog" ] ||
		install -m 644 -o postfix /dev/null "$dir/log/maillog"
	# "postfix start" sleeps a second; the database starts meanwhile
	postfix -c "$dir/etc/postfix" start >>"$dir/log/postfix.log" 2>&1 9>&- &
	postfix_job=$!
}

# Ends the job of postfix_start(): false when Postfix did not start.
postfix_join()
{
	local job=$postfix_job
	[ -n "$job" ] || return 0
	postfix_job=
	wait "$job" || return 1
	note_pid postfix "$(tr -d ' ' <"$dir/postfix/queue/pid/master.pid")"
}

# smtpd speaks once mailrow-authd does: it asks for the mechanisms first.
postfix_ready()
{
	if ! postfix_join; then
		show_log postfix
		die "cannot start Postfix"
	fi
	wait_for 20 "cannot reach Postfix" postfix greets "$smtp_port" 220
	wait_for 20 "cannot reach Postfix" postfix greets "$submission_port" 220
}

# No client is trusted, loopback neither. Everything of our domains is for
# the milter: the maps say only that the domains are ours, and the transport
# is mailrow-lmtpd, which takes what no milter sees. example.test is named beside
# the database's table so that its recipients reach the milter even while the
# database is away.
postfix_main()
{
	local bare=
	[ -z "$(postconf -d smtpd_forbid_bare_newline 2>/dev/null)" ] ||
		bare='smtpd_forbid_bare_newline = normalize'
	cat >"$dir/etc/postfix/domains.cf" <<CONF
hosts = unix:$dir/run/db/db.sock
user = postfix
password =
dbname = mailrow
query = SELECT name FROM domain WHERE name = '%s' AND active
CONF
	chown root:postfix "$dir/etc/postfix/domains.cf"
	chmod 640 "$dir/etc/postfix/domains.cf"
	cat >"$dir/etc/postfix/main.cf" <<CONF
compatibility_level = 3.6
queue_directory = $dir/postfix/queue
data_directory = $dir/postfix/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = $dir/log/maillog
maillog_file_prefixes = $dir
syslog_name = postfix

inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = mx.example.test
mydomain = example.test
myorigin = example.test
mydestination =
mynetworks =
fast_flush_domains = example.test
local_header_rewrite_clients =
alias_maps =
alias_database =
local_recipient_maps =
append_dot_mydomain = no
biff = no
enable_original_recipient = yes
message_size_limit = 102400000
notify_classes =
# Postfix slows arrivals down to the rate of its queue manager, which never
# sees what the milter has stored and discarded: 1 s a mail
in_flow_delay = 0
# smtpd ends when it finds no auth server: then not 60 s of rest, as on a site
service_throttle_time = 1s
# all clients share one address here
smtpd_client_connection_count_limit = 0
$bare

virtual_mailbox_domains = example.test, mysql:$dir/etc/postfix/domains.cf
virtual_mailbox_maps = static:all
virtual_alias_maps =
virtual_transport = lmtp:unix:$dir/run/lmtp/lmtp
lmtp_line_length_limit = 0
default_transport = smtp:[127.0.0.1]:$sink_port
relay_transport = smtp:[127.0.0.1]:$sink_port
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination

smtpd_milters = { unix:$dir/run/milter/milter.sock, default_action=tempfail, command_timeout=20s, content_timeout=120s }
non_smtpd_milters =
milter_protocol = 6
milter_default_action = tempfail

smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = $dir/run/auth/auth
smtpd_sasl_security_options = noanonymous
broken_sasl_auth_clients = yes
smtpd_tls_security_level = none
smtpd_tls_cert_file = $dir/etc/tls/cert.pem
smtpd_tls_key_file = $dir/etc/tls/key.pem
CONF
}

# Nothing is chrooted, so that absolute paths hold. The third smtpd takes what
# mailrow-lmtpd hands on, and is a port where a filter would bring mail back:
# it trusts this host and asks no milter.
postfix_master()
{
	cat >"$dir/etc/postfix/master.cf" <<CONF
127.0.0.1:$smtp_port inet n - n - - smtpd
127.0.0.1:$submission_port inet n - n - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=may
  -o smtpd_delay_reject=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  -o milter_macro_daemon_name=ORIGINATING
127.0.0.1:$forward_port inet n - n - - smtpd
  -o syslog_name=postfix/forward
  -o smtpd_milters=
  -o mynetworks=127.0.0.0/8
  -o smtpd_relay_restrictions=permit_mynetworks,reject
  -o smtpd_sasl_auth_enable=no
pickup    unix  n  -  n  60    1  pickup
cleanup   unix  n  -  n  -     0  cleanup
qmgr      unix  n  -  n  300   1  qmgr
tlsmgr    unix  -  -  n  1000? 1  tlsmgr
rewrite   unix  -  -  n  -     -  trivial-rewrite
bounce    unix  -  -  n  -     0  bounce
defer     unix  -  -  n  -     0  bounce
trace     unix  -  -  n  -     0  bounce
verify    unix  -  -  n  -     1  verify
flush     unix  n  -  n  1000? 0  flush
proxymap  unix  -  -  n  -     -  proxymap
smtp      unix  -  -  n  -     -  smtp
relay     unix  -  -  n  -     -  smtp
lmtp      unix  -  -  n  -     -  lmtp
showq     unix  n  -  n  -     -  showq
error     unix  -  -  n  -     -  error
retry     unix  -  -  n  -     -  error
discard   unix  -  -  n  -     -  discard
anvil     unix  -  -  n  -     1  anvil
scache    unix  -  -  n  -     1  scache
postlog   unix-dgram n - n -   1  postlogd
CONF
}
