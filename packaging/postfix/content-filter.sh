#!/bin/sh
# For a site whose filter stands after the queue (content_filter): filtered mail
# comes back on port 10025, and there it is stored.
set -eu
postconf -e 'smtpd_milters = { unix:mailrow/policy.sock, default_action=tempfail, command_timeout=20s, content_timeout=120s }'
postconf -M '127.0.0.1:10025/inet=127.0.0.1:10025 inet n - n - - smtpd'
postconf -P '127.0.0.1:10025/inet/smtpd_milters=unix:mailrow/store.sock'
postconf -P '127.0.0.1:10025/inet/milter_default_action=tempfail'
postconf -P '127.0.0.1:10025/inet/content_filter='
postconf -P '127.0.0.1:10025/inet/mynetworks=127.0.0.0/8'
postconf -P '127.0.0.1:10025/inet/smtpd_client_restrictions=permit_mynetworks,reject'
postconf -P '127.0.0.1:10025/inet/smtpd_relay_restrictions=permit_mynetworks,reject'
postconf -P '127.0.0.1:10025/inet/smtpd_authorized_xforward_hosts=127.0.0.0/8'
postconf -P '127.0.0.1:10025/inet/smtpd_tls_security_level=none'
