/* ctl/explain.c: mailrow explain: what would become of a mail, and why. The
 * judge is the daemons' own; nothing is changed, no limit charged. */
#include "ctl/explain.h"

#include <getopt.h>
#include <sysexits.h>

#include "lib/clock.h"
#include "lib/net.h"

enum {
	OPT_CLIENT = 1,
	OPT_PORT,
	OPT_TLS,
	OPT_HELO,
	OPT_MTA,
	OPT_LOGIN,
	OPT_LOGIN_DELETED,
	OPT_FROM,
	OPT_TO,
	OPT_SIZE,
	OPT_ROLE,
	OPT_HEADER_FROM,
	OPT_HEADER_SENDER,
	OPT_HEADER_RESENT
};

static struct situation asked = { .client = { .role = JUDGE_FULL } };
static bool has_sender, was_known = true;

static const struct option explain_options[] = {
	{ "client", required_argument, NULL, OPT_CLIENT },
	{ "port", required_argument, NULL, OPT_PORT },
	{ "tls", no_argument, NULL, OPT_TLS },
	{ "helo", required_argument, NULL, OPT_HELO },
	{ "mta", required_argument, NULL, OPT_MTA },
	{ "login", required_argument, NULL, OPT_LOGIN },
	{ "login-deleted", no_argument, NULL, OPT_LOGIN_DELETED },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "to", required_argument, NULL, OPT_TO },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ "role", required_argument, NULL, OPT_ROLE },
	{ "header-from", required_argument, NULL, OPT_HEADER_FROM },
	{ "header-sender", required_argument, NULL, OPT_HEADER_SENDER },
	{ "header-resent-from", required_argument, NULL, OPT_HEADER_RESENT },
	{ NULL, 0, NULL, 0 }
};

static int take_client(const char *text)
{
	asked.client.has_addr = ipaddr_parse(span_of(text), &asked.client.addr);
	if (asked.client.has_addr)
		return EX_OK;
	return tool_fail(EX_DATAERR,
			 "'%s' is no address: 192.0.2.7, "
			 "2001:db8::7",
			 text);
}

static int take_port(const char *text)
{
	uint64_t port;

	if (!span_u64(span_of(text), &port) || port < 1 || port > 65535)
		return tool_fail(EX_DATAERR, "'%s' is no port", text);
	asked.client.port = (unsigned)port;
	return EX_OK;
}

/* A name that is no address is none of the profile's. */
static int take_login(const struct tool *t, const char *text)
{
	struct judge_client *c = &asked.client;

	c->authenticated = true;
	if (addr_parse(span_of(text), t->conf->fold_local_part, &c->login) !=
	    ADDR_OK)
		c->login.n = 0;
	return EX_OK;
}

static int take_rcpt(const char *text)
{
	if (asked.nrcpt == EXPLAIN_RCPTS_MAX)
		return tool_fail(EX_DATAERR, "more than %d recipients",
				 EXPLAIN_RCPTS_MAX);
	asked.rcpt[asked.nrcpt++] = addr_bare(span_of(text));
	return EX_OK;
}

static int take_role(const char *text)
{
	if (judge_role_find(span_of(text), &asked.client.role))
		return EX_OK;
	return tool_fail(EX_DATAERR, "'%s' is none of full, policy, store",
			 text);
}

static int take_field(const struct tool *t, const char *name, const char *text)
{
	asked.has_header = true;
	authors_take(&asked.authors, span_of(name), span_of(text),
		     t->conf->fold_local_part);
	return EX_OK;
}

static int explain_option(struct tool *t, int val, const char *argument)
{
	switch (val) {
	case OPT_CLIENT:
		return take_client(argument);
	case OPT_PORT:
		return take_port(argument);
	case OPT_TLS:
		asked.client.tls = true;
		return EX_OK;
	case OPT_HELO:
		asked.client.helo = span_of(argument);
		return EX_OK;
	case OPT_MTA:
		asked.client.mta = span_of(argument);
		return EX_OK;
	case OPT_LOGIN:
		return take_login(t, argument);
	case OPT_LOGIN_DELETED:
		asked.client.login_known = &was_known;
		return EX_OK;
	case OPT_FROM:
		asked.sender = addr_bare(span_of(argument));
		has_sender = true;
		return EX_OK;
	case OPT_TO:
		return take_rcpt(argument);
	case OPT_ROLE:
		return take_role(argument);
	case OPT_HEADER_FROM:
		return take_field(t, "From", argument);
	case OPT_HEADER_SENDER:
		return take_field(t, "Sender", argument);
	case OPT_HEADER_RESENT:
		return take_field(t, "Resent-From", argument);
	default:
		return tool_octets(argument, &asked.size) ? EX_OK : EX_DATAERR;
	}
}

static int64_t deadline_of(const struct judge *j)
{
	return deadline_in(j->conf->lookup_timeout);
}

static void run_rcpt(struct show *s, const struct judge *j, struct situation *w,
		     struct judge_message *m, size_t i, struct finding *f_r)
{
	struct judged_rcpt r;

	show_begin(s, "rcpt", w->rcpt[i], m);
	judge_rcpt(j, &w->client, m, w->rcpt[i], deadline_of(j), &r);
	*f_r = (struct finding){ STAGE_RCPT, r.verdict };
	show_verdict(s, w, m, &r.verdict);
	show_access(s, j, w->rcpt[i], m);
	judged_release(&r);
}

static void run_headers(struct show *s, const struct judge *j,
			struct situation *w, struct judge_message *m,
			struct finding *f_r)
{
	show_begin(s, "headers", w->sender, m);
	judge_headers(j, &w->client, m, &w->authors, deadline_of(j),
		      &f_r->verdict);
	f_r->stage = STAGE_HEADERS;
	show_verdict(s, w, m, &f_r->verdict);
}

static int explain_code(enum reply_id id)
{
	unsigned smtp = reply_get(id)->smtp;

	if (smtp == 0)
		return EX_OK;
	return smtp >= 500 ? EX_NOPERM : EX_TEMPFAIL;
}

/* The exit codes rise with what they stand for. Of equals the last stays. */
static void keep_worst(struct finding *worst, const struct finding *f)
{
	if (explain_code(f->verdict.id) >= explain_code(worst->verdict.id))
		*worst = *f;
}

/* The content comes if there is anybody to have it. */
static void run_behind_mail(struct show *s, const struct judge *j,
			    struct situation *w, struct judge_message *m,
			    struct finding *worst)
{
	bool any = w->nrcpt == 0;
	struct finding f;

	for (size_t i = 0; i < w->nrcpt; i++) {
		run_rcpt(s, j, w, m, i, &f);
		any |= f.verdict.id == R_NONE;
		keep_worst(worst, &f);
	}
	if (any && w->has_header) {
		run_headers(s, j, w, m, &f);
		keep_worst(worst, &f);
	}
}

static void explain_run(struct show *s, const struct judge *j,
			struct situation *w, struct finding *f_r)
{
	struct judge_message m = { .size = w->size };

	show_begin(s, "mail", w->sender, &m);
	judge_mail(j, &w->client, w->sender, w->size, deadline_of(j), &m,
		   &f_r->verdict);
	f_r->stage = STAGE_MAIL;
	show_verdict(s, w, &m, &f_r->verdict);
	show_network(s, j, w);
	if (f_r->verdict.id == R_NONE)
		run_behind_mail(s, j, w, &m, f_r);
	show_limits(s, &m);
	judge_message_release(&m);
}

int explain_situation(struct tool *t, struct situation *w,
		      explain_compare compare, void *arg)
{
	struct finding f;
	struct ourjudge o;
	struct show *s = NULL;
	int code = ourjudge_open(t, &o);

	if (code == EX_OK) {
		s = show_new(t, &o.judge);
		code = s ? EX_OK : tool_fail(EX_OSERR, "out of memory");
	}
	if (w->client.mta.n == 0)
		w->client.mta = span_of(net_hostname(t->conf->hostname));
	if (code == EX_OK) {
		explain_run(s, &o.judge, w, &f);
		if (compare)
			compare(arg, s, &f);
		show_print(s);
		code = explain_code(f.verdict.id);
	}
	show_free(&s);
	ourjudge_close(&o);
	return code;
}

static int explain(struct tool *t, int argc, char **argv)
{
	if (argc == 1)
		return explain_decision(t, argv[0]);
	if (!has_sender || asked.nrcpt == 0)
		return tool_fail(EX_USAGE,
				 "--from and --to are needed, or the id of a "
				 "decision; see mailrow --help");
	return explain_situation(t, &asked, NULL, NULL);
}

const struct verb explain_verbs[] = {
	{ .noun = "explain",
	  .name = "",
	  .max_args = 1,
	  .usage = "ID | --from A --to B [--client IP] [--port N] [--tls] "
		   "[--helo H] [--mta H] [--login L [--login-deleted]] "
		   "[--size N] [--role R] "
		   "[--header-from X] [--header-sender X] "
		   "[--header-resent-from X]",
	  .help = "what becomes of a mail, and why",
	  .run = explain,
	  .options = explain_options,
	  .option = explain_option },
	{ .noun = NULL }
};
