#!/bin/sh
# Postfix as it was before postconf.sh or beside-dovecot.sh.
set -eu
cp -a "$(postconf -h config_directory).before-mailrow/main.cf" "$(postconf -h config_directory)/main.cf"
cp -a "$(postconf -h config_directory).before-mailrow/master.cf" "$(postconf -h config_directory)/master.cf"
