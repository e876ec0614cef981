/* ctl/lookup.c: mailrow lookup rcpt: where an address leads, and what a sender
 * would be told. The judge is the daemons' own. */
#include "ctl/ourjudge.h"

#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "ctl/out.h"
#include "lib/clock.h"

enum { OPT_SIZE = 1 };

static bool verbose;
static uint64_t declared_size;

static const struct option lookup_options[] = {
	{ "verbose", no_argument, NULL, 'v' },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ NULL, 0, NULL, 0 }
};

static int lookup_option(struct tool *t, int val, const char *argument)
{
	(void)t;
	if (val == 'v')
		verbose = true;
	else if (!tool_octets(argument, &declared_size))
		return EX_DATAERR;
	return EX_OK;
}

static const struct out_column target_columns[] = {
	{ "address", OUT_TEXT }, { "outcome", OUT_TEXT },
	{ "mailbox", OUT_TEXT }, { "messages", OUT_TEXT },
	{ "octets", OUT_TEXT },  { "quota", OUT_TEXT },
	{ "reply", OUT_TEXT },   { "predicate", OUT_TEXT },
	{ NULL, OUT_TEXT }
};

/* A number as text: those that a foreign address lacks stay empty. */
struct number {
	char text[24];
};

static struct sqlval number(struct number *room, bool is_there, uint64_t n)
{
	room->text[0] = '\0';
	if (is_there)
		(void)snprintf(room->text, sizeof(room->text), "%llu",
			       (unsigned long long)n);
	return sql_bytes(span_of(room->text));
}

static void put_reply(struct buf *b, enum reply_id id)
{
	const struct reply *r = reply_get(id);

	if (id != R_NONE)
		buf_printf(b, "%u %s %s", r->smtp, r->enhanced, r->text);
}

static bool put_target(struct out *o, const struct judged_target *t)
{
	bool stored = judged_stores(t) || t->kind == JUDGED_FULL;
	struct number room[4];
	struct buf reply = BUF_INIT(1024);
	bool ok;

	put_reply(&reply, t->why.id);
	const struct sqlval col[] = {
		sql_bytes(addr_span(&t->address)),
		sql_bytes(span_of(judged_kind_name(t->kind))),
		number(&room[0], stored, t->box.mailbox_id),
		number(&room[1], stored, t->box.messages),
		number(&room[2], stored, t->box.octets),
		number(&room[3], stored && t->quota, t->quota),
		sql_bytes(buf_span(&reply)),
		sql_bytes(span_of(t->why.id == R_NONE ? "" : t->why.predicate)),
	};
	ok = out_row(o, col);
	buf_release(&reply);
	return ok;
}

static int print_targets(struct tool *t, const struct judged_rcpt *r)
{
	struct out *o = out_new("targets", target_columns, t->json);
	int code = EX_OK;

	if (!o)
		return tool_fail(EX_OSERR, "out of memory");
	for (size_t i = 0; i < r->n; i++)
		if (!put_target(o, &r->target[i]))
			code = tool_fail(EX_OSERR, "out of memory");
	if (code == EX_OK)
		out_print_list(o);
	out_free(&o);
	return code;
}

/* What the client of the MTA would read, and who decided. */
static int print_verdict(const struct tool *t, const char *address,
			 const struct judged_rcpt *r)
{
	const struct reply *reply = reply_get(r->verdict.id);

	if (!t->json && r->verdict.id != R_NONE)
		printf("reply: %u %s <%s>: %s (%s)\n", reply->smtp,
		       reply->enhanced, address, reply->text,
		       r->verdict.predicate);
	else if (!t->json && r->n == 0)
		printf("reply: accepted; left to the MTA as it is (%s)\n",
		       r->ours ? "served: pass" : "not a domain of ours");
	else if (!t->json)
		printf("reply: accepted%s\n",
		       r->keep ? "; the MTA delivers it too" : "");
	if (r->verdict.id == R_NONE)
		return EX_OK;
	return reply->smtp >= 500 ? EX_NOUSER : EX_TEMPFAIL;
}

static void note(void *arg, const char *question, struct span key, int64_t us)
{
	(void)arg;
	fprintf(stderr, "%-14s %-40.*s %6.2f ms\n", question, (int)key.n, key.p,
		(double)us / 1000);
}

static int lookup_judge(struct tool *t, const char *text, struct judge *j)
{
	/* somebody with a login: whether strangers may relay is not asked */
	const struct judge_client client = { .role = JUDGE_FULL,
					     .authenticated = true };
	int64_t deadline = deadline_in(t->conf->lookup_timeout);
	struct judge_message message;
	struct judged_rcpt r;
	struct verdict none; /* nobody sends */
	int code, verdict;

	judge_mail(j, &client, SPAN_EMPTY, declared_size, deadline, &message,
		   &none);
	judge_rcpt(j, &client, &message, span_of(text), deadline, &r);
	code = r.n > 0 || t->json ? print_targets(t, &r) : EX_OK;
	verdict = print_verdict(t, text, &r);
	judged_release(&r);
	return code == EX_OK ? verdict : code;
}

static int lookup_rcpt(struct tool *t, int argc, char **argv)
{
	struct ourjudge o;
	int code = ourjudge_open(t, &o);

	(void)argc;
	if (verbose)
		o.judge.note = note;
	if (code == EX_OK)
		code = lookup_judge(t, argv[0], &o.judge);
	ourjudge_close(&o);
	return code;
}

const struct verb lookup_verbs[] = {
	{ .noun = "lookup",
	  .name = "rcpt",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "[-v] [--size OCTETS] ADDRESS",
	  .help = "where an address leads, and the reply to RCPT",
	  .run = lookup_rcpt,
	  .options = lookup_options,
	  .option = lookup_option },
	{ .noun = NULL }
};
