/* lib/daemon.h: what every daemon does: privileges, signals, a supervised
 * child, exit codes of sysexits.h. Daemons stay in the foreground. */
#ifndef MAILROW_LIB_DAEMON_H
#define MAILROW_LIB_DAEMON_H

#include "lib/conf.h"
#include "lib/sandbox.h"

#include <signal.h>
#include <sys/types.h>

struct daemon_user {
	uid_t uid;
	gid_t gid;
	char name[64];
};

/* Looks the user up; log_fatal(EX_NOUSER) when there is none. */
void daemon_find_user(const char *name, struct daemon_user *u_r);
gid_t daemon_find_group(const char *name);

/* Gives up root for good (groups, gid, uid; verified). extra_group is kept as
 * a supplementary group, (gid_t)-1 for none. Not root: nothing to give up;
 * fatal if the user is not the one asked for. The parent-death signal of
 * supervise_run() stays. */
void daemon_become(const struct daemon_user *u, gid_t extra_group);

/* What the option sandbox asks for, NULL for nothing; fatal if it cannot be
 * made. A log line tells what is lacking, and of whom. */
struct sandbox *daemon_sandbox(const struct conf *c, enum sandbox_role role,
			       const char *whom);

/* Enters a sandbox of SANDBOX_SERVICE, in both steps. After daemon_become()
 * and log_open(), before the first thread; fatal if it does not hold. */
void daemon_confine(const struct conf *c, const char *whom);

/* stdin from /dev/null, umask 027, SIGPIPE ignored, no core dumps. */
void daemon_prepare(void);

/* Opens descriptors up to n if the hard limit allows; false if not. */
bool daemon_need_files(unsigned long n);

/* Blocks these signals in this and later threads and returns a signalfd,
 * close-on-exec and non-blocking; -1 with errno. */
int daemon_signalfd(const int *signals, size_t n);

#endif
