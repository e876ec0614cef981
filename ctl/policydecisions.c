/* ctl/policydecisions.c: mailrow policy decisions and shadow: what stands in
 * the table decision. */
#include "ctl/policy.h"

#include <getopt.h>
#include <sysexits.h>

#include "ctl/boxarg.h"
#include "ctl/out.h"
#include "lib/clock.h"
#include "sql/decision.h"

enum {
	OPT_SINCE = 1,
	OPT_LOGIN,
	OPT_SENDER,
	OPT_RCPT,
	OPT_CLIENT,
	OPT_PREDICATE,
	OPT_SHADOW,
	OPT_MAX
};

static struct decision_filter filter = { .max = 100 };
static struct addr login, recipient, sender;

const struct option policy_decisions_options[] = {
	{ "since", required_argument, NULL, OPT_SINCE },
	{ "login", required_argument, NULL, OPT_LOGIN },
	{ "sender", required_argument, NULL, OPT_SENDER },
	{ "rcpt", required_argument, NULL, OPT_RCPT },
	{ "client", required_argument, NULL, OPT_CLIENT },
	{ "predicate", required_argument, NULL, OPT_PREDICATE },
	{ "shadow", no_argument, NULL, OPT_SHADOW },
	{ "max", required_argument, NULL, OPT_MAX },
	{ NULL, 0, NULL, 0 }
};

const struct option policy_shadow_options[] = {
	{ "since", required_argument, NULL, OPT_SINCE }, { NULL, 0, NULL, 0 }
};

/* What a client wrote is kept as it was, an address or not. */
static int take_address(struct tool *t, const char *text, struct addr *room,
			struct span *to)
{
	*to = span_of(text);
	if (addr_parse(*to, t->conf->fold_local_part, room) == ADDR_OK)
		*to = addr_span(room);
	return EX_OK;
}

static int take_max(const char *text)
{
	if (span_u64(span_of(text), &filter.max) && filter.max > 0)
		return EX_OK;
	return tool_fail(EX_DATAERR, "'%s' is no number from 1 on", text);
}

int policy_decisions_option(struct tool *t, int val, const char *argument)
{
	switch (val) {
	case OPT_SINCE:
		return boxarg_since(argument, (uint64_t)clock_unix(),
				    &filter.since)
			       ? EX_OK
			       : EX_DATAERR;
	case OPT_LOGIN:
		return take_address(t, argument, &login, &filter.login);
	case OPT_SENDER:
		return take_address(t, argument, &sender, &filter.sender);
	case OPT_RCPT:
		return take_address(t, argument, &recipient, &filter.recipient);
	case OPT_CLIENT:
		filter.client = span_of(argument);
		break;
	case OPT_PREDICATE:
		filter.predicate = span_of(argument);
		break;
	case OPT_SHADOW:
		filter.shadow = true;
		break;
	default:
		return take_max(argument);
	}
	return EX_OK;
}

/* For people the first of them, for programs all. */
enum { SHORT_COLUMNS = 9 };

static const struct out_column decision_columns[] = {
	{ "time", OUT_TEXT },      { "id", OUT_TEXT },
	{ "outcome", OUT_TEXT },   { "predicate", OUT_TEXT },
	{ "reply", OUT_TEXT },     { "client", OUT_TEXT },
	{ "login", OUT_TEXT },     { "sender", OUT_TEXT },
	{ "recipient", OUT_TEXT }, { "text", OUT_TEXT },
	{ "stage", OUT_TEXT },     { "domain", OUT_TEXT },
	{ "queue_id", OUT_TEXT },  { "helo", OUT_TEXT },
	{ "tls", OUT_TEXT },       { "port", OUT_NUMBER },
	{ "size", OUT_NUMBER },    { "header_from", OUT_TEXT },
	{ "node", OUT_TEXT },      { "way", OUT_TEXT },
	{ NULL, OUT_TEXT }
};

static const char *outcome(const struct decision *d)
{
	if (d->shadow)
		return "shadow";
	if (d->smtp == 0)
		return "accepted";
	return d->smtp >= 500 ? "rejected" : "deferred";
}

static bool put_decision(void *arg, const struct decision *d)
{
	struct buf reply = BUF_INIT(64);
	bool ok;

	if (d->smtp)
		buf_printf(&reply, "%u ", (unsigned)d->smtp);
	buf_put_span(&reply, d->text[DECISION_ENHANCED]);
	const struct sqlval col[] = {
		sql_bytes(d->when),
		sql_bytes(d->text[DECISION_ID]),
		sql_bytes(span_of(outcome(d))),
		sql_bytes(d->text[DECISION_PREDICATE]),
		sql_bytes(buf_span(&reply)),
		sql_bytes(d->text[DECISION_CLIENT]),
		sql_bytes(d->text[DECISION_LOGIN]),
		sql_bytes(d->text[DECISION_SENDER]),
		sql_bytes(d->text[DECISION_RECIPIENT]),
		sql_bytes(d->text[DECISION_REPLY]),
		sql_bytes(d->text[DECISION_STAGE]),
		sql_bytes(d->text[DECISION_DOMAIN]),
		sql_bytes(d->text[DECISION_QUEUE_ID]),
		sql_bytes(d->text[DECISION_HELO]),
		sql_bytes(d->text[DECISION_TLS]),
		sql_u64(d->port),
		sql_u64(d->size),
		sql_bytes(d->text[DECISION_HEADER_FROM]),
		sql_bytes(d->text[DECISION_NODE]),
		sql_bytes(d->text[DECISION_WAY]),
	};
	ok = out_row(arg, col);
	buf_release(&reply);
	return ok;
}

int policy_decisions(struct tool *t, int argc, char **argv)
{
	struct out_column columns[SHORT_COLUMNS + 1] = { { NULL, OUT_TEXT } };
	enum native_result r;
	struct out *o;

	(void)argc;
	(void)argv;
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	memcpy(columns, decision_columns,
	       SHORT_COLUMNS * sizeof(struct out_column));
	o = out_new("decisions", t->json ? decision_columns : columns, t->json);
	if (!o)
		return tool_fail(EX_OSERR, "out of memory");
	r = decision_list(t->db, &filter, put_decision, o);
	if (r == NATIVE_OK)
		out_print_list(o);
	out_free(&o);
	return tool_native_result(t, r, "");
}

static const struct out_column shadow_columns[] = {
	{ "predicate", OUT_TEXT }, { "domain", OUT_TEXT },
	{ "login", OUT_TEXT },     { "hits", OUT_NUMBER },
	{ "first", OUT_TEXT },     { "last", OUT_TEXT },
	{ NULL, OUT_TEXT }
};

static enum native_result list_shadow(struct db *db, native_row row, void *arg)
{
	return decision_shadow(db, filter.since, row, arg);
}

int policy_shadow(struct tool *t, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return tool_print_list(t, "shadow", shadow_columns, list_shadow, NULL);
}
