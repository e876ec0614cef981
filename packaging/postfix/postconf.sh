#!/bin/sh
# Puts Mailrow into Postfix's settings; README.md explains each step. Nothing
# changes for running mail before "postfix reload".
# shellcheck disable=SC2016 # $config_directory is for Postfix to expand
set -eu
mkdir "$(postconf -h config_directory).before-mailrow"
cp -a "$(postconf -h config_directory)/." "$(postconf -h config_directory).before-mailrow"
postconf -e 'virtual_mailbox_domains = proxy:mysql:$config_directory/mailrow-domains.cf'
postconf -e 'virtual_mailbox_maps = static:all'
postconf -e 'virtual_transport = lmtp:unix:mailrow/lmtp'
postconf -e 'lmtp_line_length_limit = 0'
postconf -e 'smtpd_milters = { unix:mailrow/milter.sock, default_action=tempfail, command_timeout=20s, content_timeout=120s }'
postconf -e 'smtpd_sasl_type = dovecot'
postconf -e 'smtpd_sasl_path = mailrow/auth'
postconf -e 'smtpd_sasl_security_options = noanonymous'
postconf -e 'smtpd_tls_auth_only = yes'
postconf -e 'disable_vrfy_command = yes'
postconf -e 'smtpd_forbid_bare_newline = normalize'
postconf -e 'in_flow_delay = 0'
postconf -M 'submission/inet=submission inet n - n - - smtpd'
postconf -P 'submission/inet/syslog_name=postfix/submission'
postconf -P 'submission/inet/smtpd_tls_security_level=encrypt'
postconf -P 'submission/inet/smtpd_sasl_auth_enable=yes'
postconf -P 'submission/inet/smtpd_client_restrictions=permit_sasl_authenticated,reject'
postconf -P 'submission/inet/milter_macro_daemon_name=ORIGINATING'
postconf -M 'submissions/inet=submissions inet n - n - - smtpd'
postconf -P 'submissions/inet/syslog_name=postfix/submissions'
postconf -P 'submissions/inet/smtpd_tls_wrappermode=yes'
postconf -P 'submissions/inet/smtpd_sasl_auth_enable=yes'
postconf -P 'submissions/inet/smtpd_client_restrictions=permit_sasl_authenticated,reject'
postconf -P 'submissions/inet/milter_macro_daemon_name=ORIGINATING'
postconf -M '127.0.0.1:10026/inet=127.0.0.1:10026 inet n - n - - smtpd'
postconf -P '127.0.0.1:10026/inet/smtpd_milters='
postconf -P '127.0.0.1:10026/inet/content_filter='
postconf -P '127.0.0.1:10026/inet/mynetworks=127.0.0.0/8'
postconf -P '127.0.0.1:10026/inet/smtpd_client_restrictions=permit_mynetworks,reject'
postconf -P '127.0.0.1:10026/inet/smtpd_relay_restrictions=permit_mynetworks,reject'
postconf -P '127.0.0.1:10026/inet/smtpd_tls_security_level=none'
