/* ctl/checkconf.c: the configuration and the option files. */
#include "ctl/check.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/esc.h"

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

/* Clients take the digest when it is offered, and fail where it cannot be
 * verified. */
static void check_digests(struct check *k)
{
	const struct conf *c = check_tool(k)->conf;

	if (c->apop)
		check_say(k, CHECK_WARN, "configuration",
			  "apop = no in mailrow.conf",
			  "apop = yes: clients that know APOP can log in only "
			  "to accounts stored as {PLAIN}");
	if (c->cram_md5)
		check_say(k, CHECK_WARN, "configuration",
			  "cram_md5 = no in mailrow.conf",
			  "cram_md5 = yes: clients that know CRAM-MD5 can log "
			  "in only to accounts stored as {PLAIN}");
}

static bool names_everybody(const struct network_set *s)
{
	static const uint8_t v4[12] = { [10] = 0xff, [11] = 0xff };

	for (size_t i = 0; i < s->n; i++) {
		const struct network *n = &s->net[i];

		if (n->bits == 0 ||
		    (n->bits == 8 * sizeof(v4) &&
		     memcmp(n->base.octet, v4, sizeof(v4)) == 0))
			return true;
	}
	return false;
}

/* What they tell is believed. */
static void check_proxies(struct check *k)
{
	const struct conf *c = check_tool(k)->conf;

	if (names_everybody(&c->pop3_proxy_networks))
		check_say(k, CHECK_FAIL, "configuration",
			  "name the proxies alone in pop3_proxy_networks",
			  "pop3_proxy_networks names everybody: each client "
			  "can claim another's address, and clients without a "
			  "PROXY header are not served");
	if (names_everybody(&c->trusted_networks))
		check_say(k, CHECK_FAIL, "configuration",
			  "name the trusted alone in trusted_networks",
			  "trusted_networks names everybody: each client can "
			  "claim another's address by XCLIENT, and guess "
			  "passwords without end");
}

static void check_ports(struct check *k)
{
	const struct conf_list *l = &check_tool(k)->conf->relay_ports;
	struct esc_text word;
	uint64_t n;

	for (size_t i = 0; i < l->n; i++)
		if (!span_u64(span_of(l->word[i]), &n) || n == 0 || n > 65535)
			check_say(
				k, CHECK_FAIL, "configuration",
				"write numbers in relay_ports: 587",
				"relay_ports has %s, which is no port: nobody "
				"relays there",
				esc_text(&word, span_of(l->word[i])));
}

static void check_attackers(struct check *k)
{
	if (strcmp(check_tool(k)->conf->auth_attackers, "off") == 0)
		check_say(k, CHECK_WARN, "configuration",
			  "auth_attackers = enforce",
			  "auth_attackers is off: nobody who guesses passwords "
			  "is held back, and nobody is blocked");
}

/* The daemon must be able to read its file, and nobody else. */
struct file_test {
	const char *path, *fix;
};

static void test_readable(struct check *k, const void *arg)
{
	const struct file_test *f = arg;

	if (access(f->path, R_OK) == 0)
		return;
	check_say(k, CHECK_FAIL, "option file", f->fix,
		  "%s cannot be read by its daemon: %s", f->path,
		  strerror(errno));
}

const char *check_file_fix(const struct check_daemon *d, const char *path,
			   char fix[CHECK_FIX_MAX])
{
	snprintf(fix, CHECK_FIX_MAX, "chown root:%s %s; chmod 0640 %s", d->user,
		 path, path);
	return fix;
}

static void say_missing(struct check *k, const struct check_daemon *d,
			const char *path)
{
	char right[CHECK_FIX_MAX], fix[2 * CHECK_FIX_MAX];
	int e = errno;

	snprintf(fix, sizeof(fix), "printf '[%s]\\nuser = %s\\n' >%s; %s",
		 program_option_group(d->program), d->user, path,
		 check_file_fix(d, path, right));
	check_say(k, CHECK_FAIL, "option file", e == ENOENT ? fix : right,
		  "%s: %s", path, strerror(e));
}

static void check_option_file(struct check *k, const struct check_daemon *d)
{
	const struct conf *c = check_tool(k)->conf;
	char path[1024], fix[CHECK_FIX_MAX];
	const struct file_test test = { path, fix };
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s.cnf", c->option_dir,
		 program_option_group(d->program));
	if (stat(path, &st) != 0) {
		say_missing(k, d, path);
		return;
	}
	(void)check_file_fix(d, path, fix);
	if (st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP))
		check_say(k, CHECK_FAIL, "option file", fix,
			  "%s has mode %04o: others can read or change it",
			  path, (unsigned)(st.st_mode & 07777));
	else
		check_say(k, CHECK_OK, "option file", "", "%s", path);
	check_as(k, "option file", d->user, NULL, test_readable, &test);
}

static void check_sandbox(struct check *k)
{
	if (!check_tool(k)->conf->sandbox)
		check_say(
			k, CHECK_WARN, "sandbox",
			"remove 'sandbox = no' from the configuration",
			"nothing holds mailrow-pop3d and mailrow-authd to the "
			"system calls and files they need");
}

static void test_program(struct check *k, const void *arg)
{
	const char *path = arg;
	char fix[CHECK_FIX_MAX];

	(void)snprintf(fix, sizeof(fix), "chmod 755 %s", path);
	if (access(path, X_OK) != 0)
		check_say(k, CHECK_FAIL, "notify_command", fix,
			  "%s cannot be run by this user: %s", path,
			  strerror(errno));
}

/* It is run by the daemons, whoever may write it. */
static void check_notify(struct check *k, const struct check_daemon *d,
			 size_t n)
{
	const char *path = check_tool(k)->conf->notify_command;
	char fix[CHECK_FIX_MAX];
	struct stat st;

	if (!path[0])
		return;
	(void)snprintf(fix, sizeof(fix), "chmod 755 %s", path);
	if (stat(path, &st) != 0)
		check_say(k, CHECK_FAIL, "notify_command",
			  "remove notify_command from the configuration",
			  "%s: %s", path, strerror(errno));
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		check_say(
			k, CHECK_FAIL, "notify_command", fix,
			"%s has mode %04o: others can change what the daemons "
			"run",
			path, (unsigned)(st.st_mode & 07777));
	else
		for (size_t i = 0; i < n; i++)
			if (d[i].program == PROG_MILTER ||
			    d[i].program == PROG_LMTPD)
				check_as(k, "notify_command", d[i].user, NULL,
					 test_program, path);
}

void checkconf_run(struct check *k)
{
	struct check_daemon d[4];
	size_t i, n;

	check_configuration(k);
	check_sandbox(k);
	check_digests(k);
	check_proxies(k);
	check_attackers(k);
	check_ports(k);
	n = check_daemons(check_tool(k)->conf, d);
	check_notify(k, d, n);
	for (i = 0; i < n; i++)
		check_option_file(k, &d[i]);
}
