/* ctl/checktls.c: do passwords of POP3 come encrypted, and until when? */
#include "ctl/check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/tlsstore.h"

enum { WARN_DAYS = 14, WHY_MAX = 65536, DATE_SIZE = 32 };

static const char subject[] = "POP3 TLS";

static const char *edit_fix(const struct tool *t, const char *what,
			    char fix[CHECK_FIX_MAX])
{
	(void)snprintf(fix, CHECK_FIX_MAX,
		       "set %s in %s; systemctl restart mailrow-pop3d", what,
		       t->conf_file);
	return fix;
}

/* "192.0.2.1:110": others than this host can come there. */
static bool is_open(const char *listen)
{
	const char *colon = strrchr(listen, ':');
	struct ipaddr a;

	return colon &&
	       ipaddr_parse(span_make(listen, (size_t)(colon - listen)), &a) &&
	       !ipaddr_is_loopback(&a);
}

static bool is_open_in_clear(const struct conf *c)
{
	for (size_t i = 0; i < c->pop3_listen.n; i++) {
		if (is_open(c->pop3_listen.word[i]))
			return true;
	}
	return false;
}

static void check_clear(struct check *k, bool have_cert)
{
	const struct tool *t = check_tool(k);
	const char *need = t->conf->require_tls;
	char fix[CHECK_FIX_MAX];

	if (!have_cert && strcmp(need, "yes") == 0)
		check_say(k, CHECK_FAIL, subject,
			  edit_fix(t, "tls_cert and tls_key", fix),
			  "require_tls = yes and no tls_cert: only "
			  "trusted_networks can log in by POP3");
	else if (!is_open_in_clear(t->conf))
		return;
	else if (!have_cert)
		check_say(k, CHECK_WARN, subject,
			  edit_fix(t, "tls_cert and tls_key", fix),
			  "POP3 passwords cross the network in clear: there "
			  "is no tls_cert");
	else if (strcmp(need, "no") == 0)
		check_say(k, CHECK_WARN, subject,
			  edit_fix(t, "require_tls = auto", fix),
			  "POP3 passwords may cross the network in clear: "
			  "require_tls = no");
}

static void say_lines(struct check *k, enum check_level level,
		      const struct buf *text)
{
	struct span line, rest = buf_span(text);

	while (rest.n) {
		(void)span_cut(rest, '\n', &line, &rest);
		check_say(k, level, subject,
			  "renew it; systemctl reload mailrow-pop3d", "%.*s",
			  (int)line.n, line.p);
	}
}

static void say_good(struct check *k, const struct tlsstore *s)
{
	char date[DATE_SIZE] = "";
	struct tm tm;

	if (gmtime_r(&s->first->until, &tm))
		(void)strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	check_say(k, CHECK_OK, subject, "",
		  "%s is good until %s; %zu more for other names",
		  s->first->file, date, s->n);
}

/* As the daemon will load them. */
static void check_files(struct check *k, const struct conf *c)
{
	const struct tlsstore_files files = {
		.cert = c->tls_cert,
		.key = c->tls_key,
		.dir = c->tls_sni_dir,
	};
	struct buf bad = BUF_INIT(WHY_MAX), ending = BUF_INIT(WHY_MAX);
	time_t now = (time_t)clock_unix();
	struct tlsstore *s = tlsstore_load(&files, NULL, now, &bad);

	if (s && bad.n == 0)
		tlsstore_put_ending(s, now,
				    now + (time_t)WARN_DAYS * 24 * 60 * 60,
				    &ending);
	say_lines(k, CHECK_FAIL, &bad);
	say_lines(k, CHECK_WARN, &ending);
	if (s && bad.n == 0 && ending.n == 0)
		say_good(k, s);
	buf_release(&bad);
	buf_release(&ending);
	tlsstore_free(&s);
}

void checktls_run(struct check *k)
{
	const struct conf *c = check_tool(k)->conf;
	bool have_cert = c->tls_cert[0] != '\0';

	check_clear(k, have_cert);
	if (!have_cert)
		return;
	if (geteuid() == 0)
		check_files(k, c);
	else
		check_say(k, CHECK_WARN, subject, "sudo mailrow check",
			  "certificates are not looked at: run the check as "
			  "root");
}
