/* ctl/account.h: verbs of mailrow account that have a file of their own. */
#ifndef MAILROW_CTL_ACCOUNT_H
#define MAILROW_CTL_ACCOUNT_H

#include <getopt.h>

#include "ctl/tool.h"

/* account app-password add|list|revoke ADDRESS [LABEL] */
int apppass_run(struct tool *t, int argc, char **argv);
int apppass_option(struct tool *t, int val, const char *argument);
extern const struct option apppass_options[];

/* account logins ADDRESS */
int logins_run(struct tool *t, int argc, char **argv);

/* account policy [NAME [SETTING VALUE|default]] */
int accountpolicy_run(struct tool *t, int argc, char **argv);

/* account door ADDRESS smtp|pop3|tls on|off; ADDRESS networks LIST */
int door_run(struct tool *t, int argc, char **argv);

/* "192.0.2.0/24 2001:db8::/32", split at commas or blanks; false after a
 * message. */
bool account_networks(const char *text, struct buf *list_r);

#endif
