/* ctl/check.c: runs the subjects and prints what they say. */
#include "ctl/check.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "ctl/out.h"

/* What the command line said; option() has no other place for it. */
static struct check_options options;

struct check {
	struct tool *tool;
	struct out *table; /* with --json */
	FILE *relay;       /* in a child: findings go to the parent */
	enum check_level worst;
};

static const char *const level_names[] = { "ok", "warn", "FAIL" };

static const struct out_column check_columns[] = { { "level", OUT_TEXT },
						   { "subject", OUT_TEXT },
						   { "finding", OUT_TEXT },
						   { "fix", OUT_TEXT },
						   { NULL, OUT_TEXT } };

struct tool *check_tool(struct check *k)
{
	return k->tool;
}

const struct check_options *check_options(const struct check *k)
{
	(void)k;
	return &options;
}

static void put_finding(struct check *k, enum check_level level,
			const char *subject, const char *text, const char *fix)
{
	struct sqlval col[] = {
		sql_bytes(span_of(level_names[level])),
		sql_bytes(span_of(subject)),
		sql_bytes(span_of(text)),
		sql_bytes(span_of(fix)),
	};

	if (level > k->worst)
		k->worst = level;
	if (k->relay) {
		fprintf(k->relay, "%d\t%s\t%s\t%s\n", (int)level, subject, text,
			fix);
		return;
	}
	if (k->table) {
		out_row(k->table, col);
		return;
	}
	printf("%-4s %-14s %s\n", level_names[level], subject, text);
	if (*fix)
		printf("     %-14s -> %s\n", "", fix);
}

/* TAB and line ends separate what a child relays. */
static void flatten(char *s)
{
	for (; *s; s++)
		if (*s == '\t' || *s == '\n' || *s == '\r')
			*s = ' ';
}

void check_say(struct check *k, enum check_level level, const char *subject,
	       const char *fix, const char *fmt, ...)
{
	struct buf text = BUF_INIT(4096);
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	buf_putc(&text, '\0');
	if (buf_ok(&text)) {
		flatten(text.p);
		put_finding(k, level, subject, text.p, fix);
	} else {
		put_finding(k, CHECK_FAIL, subject, "out of memory", "");
	}
	buf_release(&text);
}

/* One relayed line becomes a finding of ours. */
static void take_relayed(struct check *k, char *line)
{
	struct span rest = span_head(span_of(line), strcspn(line, "\n"));
	struct span part[3];
	uint64_t level = CHECK_FAIL;
	size_t i;

	for (i = 0; i < 3; i++)
		if (!span_cut(rest, '\t', &part[i], &rest))
			return;
	if (!span_u64(part[0], &level) || level > CHECK_FAIL)
		return;
	line[part[1].p + part[1].n - line] = '\0';
	line[part[2].p + part[2].n - line] = '\0';
	line[rest.p + rest.n - line] = '\0';
	put_finding(k, (enum check_level)level, part[1].p, part[2].p, rest.p);
}

/* Who makes a test, and from where: dir NULL = here, chroot = it is "/". */
struct place {
	const char *user, *group, *dir;
	bool chroot;
};

/* The names are looked up before a chroot hides the files they are in. */
static bool become(const struct place *where)
{
	const struct passwd *pw = getpwnam(where->user);
	const struct group *gr = where->group ? getgrnam(where->group) : NULL;
	gid_t extra = gr ? gr->gr_gid : 0;
	gid_t gid;
	uid_t uid;

	if (!pw || (where->group && !gr))
		return false;
	uid = pw->pw_uid;
	gid = pw->pw_gid;
	if (where->dir &&
	    (chdir(where->dir) != 0 || (where->chroot && chroot(".") != 0)))
		return false;
	return setgroups(gr ? 1 : 0, &extra) == 0 &&
	       setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0;
}

static void relay_child(struct check *k, int fd, const struct place *where,
			void (*test)(struct check *, const void *),
			const void *arg) __attribute__((noreturn));

static void relay_child(struct check *k, int fd, const struct place *where,
			void (*test)(struct check *, const void *),
			const void *arg)
{
	k->relay = fdopen(fd, "w");
	if (!k->relay || !become(where))
		_exit(EX_OSERR);
	test(k, arg);
	fflush(k->relay);
	_exit(EX_OK);
}

static void relay_parent(struct check *k, int fd, pid_t pid,
			 const char *subject, const char *user)
{
	FILE *in = fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;
	int status = 0;

	while (in && getline(&line, &size, in) > 0)
		take_relayed(k, line);
	free(line);
	if (in)
		fclose(in);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EX_OK)
		check_say(k, CHECK_FAIL, subject, "",
			  "the test as user '%s' did not end well", user);
}

void check_as(struct check *k, const char *subject, const char *user,
	      const char *group, void (*test)(struct check *, const void *),
	      const void *arg)
{
	check_as_in(k, subject, user, group, NULL, false, test, arg);
}

void check_as_in(struct check *k, const char *subject, const char *user,
		 const char *group, const char *dir, bool chroot,
		 void (*test)(struct check *, const void *), const void *arg)
{
	const struct place where = { user, group, dir, chroot };
	int fd[2];
	pid_t pid;

	if (!getpwnam(user)) {
		char fix[256];

		(void)snprintf(fix, sizeof(fix), "useradd --system %s", user);
		check_say(k, CHECK_FAIL, subject, fix,
			  "there is no user '%s' on this system", user);
		return;
	}
	if (geteuid() != 0) {
		check_say(k, CHECK_WARN, subject, "sudo mailrow check",
			  "not tested as user '%s': run the check as root",
			  user);
		return;
	}
	if (pipe(fd) != 0 || (fflush(stdout), pid = fork()) < 0) {
		check_say(k, CHECK_FAIL, subject, "", "cannot fork");
		return;
	}
	if (pid == 0) {
		close(fd[0]);
		relay_child(k, fd[1], &where, test, arg);
	}
	close(fd[1]);
	relay_parent(k, fd[0], pid, subject, user);
}

size_t check_daemons(const struct conf *c, struct check_daemon out[4])
{
	out[0] = (struct check_daemon){ PROG_MILTER, c->milter_user };
	out[1] = (struct check_daemon){ PROG_AUTHD, c->auth_user };
	out[2] = (struct check_daemon){ PROG_POP3D, c->pop3_user };
	if (c->lmtp_listen.n == 0)
		return 3;
	out[3] = (struct check_daemon){ PROG_LMTPD, c->lmtp_user };
	return 4;
}

static int check_run(struct tool *t, int argc, char **argv)
{
	struct check k = { .tool = t };

	(void)argc;
	(void)argv;
	if (t->json)
		k.table = out_new("findings", check_columns, true);
	checkconf_run(&k);
	checkdb_run(&k);
	checkpolicy_run(&k);
	checkprofile_run(&k);
	checksocket_run(&k);
	checktls_run(&k);
	checksize_run(&k);
	checkmta_run(&k);
	if (k.table)
		out_print_list(k.table);
	out_free(&k.table);
	return (int)k.worst;
}

static int take_option(struct tool *t, int val, const char *argument)
{
	(void)t;
	if (val == 'f')
		options.fix = true;
	else
		options.mta_config = argument;
	return EX_OK;
}

static const struct option check_long[] = { { "fix", no_argument, NULL, 'f' },
					    { "mta-config", required_argument,
					      NULL, 'm' },
					    { NULL, 0, NULL, 0 } };

const struct verb check_verbs[] = {
	{ "check", "", 0, 0, "[--fix] [--mta-config DIR]",
	  "what to mend, and how; exit 0 fine, 1 warnings, 2 failures",
	  check_run, check_long, take_option },
	{ .noun = NULL }
};
