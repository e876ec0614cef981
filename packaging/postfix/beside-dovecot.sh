#!/bin/sh
# For a site where Dovecot keeps the mailboxes that "mailrow serve" has not
# given to Mailrow: instead of postconf.sh. Maps, virtual_transport and AUTH
# stay as they are.
# shellcheck disable=SC2016 # $config_directory is for Postfix to expand
set -eu
mkdir "$(postconf -h config_directory).before-mailrow"
cp -a "$(postconf -h config_directory)/." "$(postconf -h config_directory).before-mailrow"
postconf -e 'transport_maps = proxy:mysql:$config_directory/mailrow-transport.cf'
postconf -e 'lmtp_line_length_limit = 0'
postconf -e 'smtpd_milters = { unix:mailrow/milter.sock, default_action=tempfail, command_timeout=20s, content_timeout=120s }'
postconf -e 'smtpd_forbid_bare_newline = normalize'
postconf -e 'in_flow_delay = 0'
