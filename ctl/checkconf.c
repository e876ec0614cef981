/* ctl/checkconf.c: the configuration and the option files. */
#include "ctl/check.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_configuration(struct check *k)
{
	const struct tool *t = check_tool(k);
	struct buf b = BUF_INIT(1 << 20);
	struct span rest, line;
	unsigned set = 0;

	conf_show(t->conf, PROG_ALL, true, &b);
	rest = buf_span(&b);
	while (rest.n > 0) {
		span_cut(rest, '\n', &line, &rest);
		set += line.n > 0 && line.p[0] != '#';
	}
	check_say(k, CHECK_OK, "configuration", "", "%s, %u options set",
		  t->conf_file, set);
	buf_release(&b);
}

/* The daemon must be able to read its file, and nobody else. */
static void test_readable(struct check *k, const void *arg)
{
	const char *path = arg;

	if (access(path, R_OK) == 0)
		return;
	check_say(k, CHECK_FAIL, "option file", "",
		  "%s cannot be read by its daemon: %s", path, strerror(errno));
}

static void check_option_file(struct check *k, const struct check_daemon *d)
{
	const struct conf *c = check_tool(k)->conf;
	char path[1024], fix[2304];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s.cnf", c->option_dir,
		 program_option_group(d->program));
	if (stat(path, &st) != 0) {
		check_say(k, CHECK_FAIL, "option file", "", "%s: %s", path,
			  strerror(errno));
		return;
	}
	snprintf(fix, sizeof(fix), "chown root:%s %s; chmod 0640 %s", d->user,
		 path, path);
	if (st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP))
		check_say(k, CHECK_FAIL, "option file", fix,
			  "%s has mode %04o: others can read or change it",
			  path, (unsigned)(st.st_mode & 07777));
	else
		check_say(k, CHECK_OK, "option file", "", "%s", path);
	check_as(k, "option file", d->user, NULL, test_readable, path);
}

void checkconf_run(struct check *k)
{
	struct check_daemon d[4];
	size_t i, n;

	check_configuration(k);
	n = check_daemons(check_tool(k)->conf, d);
	for (i = 0; i < n; i++)
		check_option_file(k, &d[i]);
}
