/* ctl/check.h: mailrow check: what an administrator should mend before a
 * customer finds it. One subject a file; each says findings. */
#ifndef MAILROW_CTL_CHECK_H
#define MAILROW_CTL_CHECK_H

#include "ctl/tool.h"

enum check_level { CHECK_OK, CHECK_WARN, CHECK_FAIL };

struct check;

/* One line: how it stands, and what to type to mend it ("" = nothing). */
void check_say(struct check *k, enum check_level level, const char *subject,
	       const char *fix, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

struct tool *check_tool(struct check *k);

/* The command line. */
struct check_options {
	bool fix;
	const char *mta_config; /* directory of main.cf; NULL = not given */
};
const struct check_options *check_options(const struct check *k);

/* Runs test(k, arg) as another UNIX user with the given supplementary group
 * (NULL for none); its findings count as ours. Says so when that cannot be
 * done (not root, no such user). */
void check_as(struct check *k, const char *subject, const char *user,
	      const char *group, void (*test)(struct check *, const void *),
	      const void *arg);

/* The same in the directory dir (NULL: where we are), which with chroot is
 * all that the test sees. */
void check_as_in(struct check *k, const char *subject, const char *user,
		 const char *group, const char *dir, bool chroot,
		 void (*test)(struct check *, const void *), const void *arg);

/* The daemons that are checked: program, its UNIX user. */
struct check_daemon {
	enum program program;
	const char *user;
};
size_t check_daemons(const struct conf *c, struct check_daemon out[4]);

/* The name of the tool's own database; the daemons' is the same. */
const char *check_database(void);

/* What to type after an error of the database, by its number. */
enum { CHECK_FIX_MAX = 2304 };
const char *check_db_fix(unsigned err, char fix[CHECK_FIX_MAX]);

/* What gives a daemon its option file back. */
const char *check_file_fix(const struct check_daemon *d, const char *path,
			   char fix[CHECK_FIX_MAX]);

/* What a server says first begins so; NULL: it waits for its client. */
bool check_hears(int fd, const char *want);

/* The subjects, in the order of their lines. */
void checkconf_run(struct check *k);
void checkdb_run(struct check *k);
void checkpolicy_run(struct check *k);
void checkprofile_run(struct check *k);
void checksocket_run(struct check *k);
void checktls_run(struct check *k);
void checksize_run(struct check *k);
void checkmta_run(struct check *k);

#endif
