/* ctl/limit.c: mailrow limit ...: how much accounts and domains may send and
 * receive, and how much they did. */
#include "ctl/tool.h"

#include <getopt.h>
#include <sysexits.h>

#include "ctl/boxarg.h"
#include "ctl/out.h"
#include "lib/trace.h"
#include "policy/limit.h"
#include "sql/limittable.h"

/* What the options said. */
static struct limit_row wanted = { .direction = LIMIT_OUT };

enum { OPTION_IN = 256, OPTION_MESSAGES, OPTION_RECIPIENTS, OPTION_OCTETS };

static const struct option direction_option[] = {
	{ "in", no_argument, NULL, OPTION_IN },
	{ NULL, 0, NULL, 0 },
};

static const struct option set_options[] = {
	{ "in", no_argument, NULL, OPTION_IN },
	{ "messages", required_argument, NULL, OPTION_MESSAGES },
	{ "recipients", required_argument, NULL, OPTION_RECIPIENTS },
	{ "octets", required_argument, NULL, OPTION_OCTETS },
	{ NULL, 0, NULL, 0 },
};

static int take_number(const char *text, bool *has_r, uint64_t *n_r)
{
	*has_r = span_u64(span_of(text), n_r) && *n_r <= UINT64_MAX >> 1;
	if (*has_r)
		return EX_OK;
	return tool_fail(EX_USAGE, "'%s' is no number", text);
}

static int limit_option(struct tool *t, int val, const char *argument)
{
	(void)t;
	switch (val) {
	case OPTION_IN:
		wanted.direction = LIMIT_IN;
		return EX_OK;
	case OPTION_MESSAGES:
		return take_number(argument, &wanted.has_messages,
				   &wanted.messages);
	case OPTION_RECIPIENTS:
		return take_number(argument, &wanted.has_recipients,
				   &wanted.recipients);
	case OPTION_OCTETS:
		wanted.has_octets = tool_octets(argument, &wanted.octets);
		return wanted.has_octets ? EX_OK : EX_USAGE;
	default:
		return EX_USAGE;
	}
}

/* Whom a limit is for. The text is an address's, or "@domain", "*", "@*". */
static bool take_subject(struct tool *t, const char *text, struct addr *a_r)
{
	char domain[ADDR_DOMAIN_MAX + 1];
	bool at = text[0] == '@';

	if (span_is(span_of(text), "*") || span_is(span_of(text), "@*")) {
		a_r->n = (uint16_t)strlen(text);
		memcpy(a_r->text, text, (size_t)a_r->n + 1);
		return true;
	}
	if (!at && span_find(span_of(text), '@') < strlen(text))
		return tool_address(t, text, a_r);
	if (!tool_domain(text + at, domain))
		return false;
	a_r->n =
		(uint16_t)snprintf(a_r->text, sizeof(a_r->text), "@%s", domain);
	a_r->at = 0;
	return true;
}

static bool take_window(const char *text, uint32_t *seconds_r)
{
	uint64_t seconds;

	if (!boxarg_duration(text, &seconds))
		return false;
	*seconds_r = (uint32_t)seconds;
	if (seconds >= LIMIT_SECONDS_MIN && seconds <= LIMIT_SECONDS_MAX)
		return true;
	tool_fail(0, "'%s' is no window: from 1m to 31d", text);
	return false;
}

static int limit_set(struct tool *t, int argc, char **argv)
{
	enum native_result r;
	struct addr subject;

	(void)argc;
	if (!take_subject(t, argv[0], &subject) ||
	    !take_window(argv[1], &wanted.seconds))
		return EX_DATAERR;
	if (!wanted.has_messages && !wanted.has_recipients &&
	    !wanted.has_octets)
		return tool_fail(EX_USAGE, "what is limited? --messages, "
					   "--recipients or --octets");
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	wanted.subject = addr_span(&subject);
	r = limittable_set(t->db, &wanted);
	if (r == NATIVE_IN_USE)
		return tool_fail(EX_CANTCREAT, "'%s' has %d windows already",
				 argv[0], LIMIT_WINDOWS_MAX);
	return tool_native_result(t, r, argv[0]);
}

/* First by its name as it was typed: what somebody else wrote goes, too. The
 * period may be any, for the same reason. */
static int limit_unset(struct tool *t, int argc, char **argv)
{
	struct addr subject;
	enum native_result r;
	uint64_t seconds, *period = argc > 1 ? &seconds : NULL;

	if (period && !boxarg_duration(argv[1], period))
		return EX_DATAERR;
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	r = limittable_unset(t->db, span_of(argv[0]), wanted.direction, period);
	if (r == NATIVE_NONE && !take_subject(t, argv[0], &subject))
		return EX_DATAERR;
	if (r == NATIVE_NONE)
		r = limittable_unset(t->db, addr_span(&subject),
				     wanted.direction, period);
	if (r == NATIVE_NONE)
		return tool_fail(EX_NOUSER, "'%s' has no such limit", argv[0]);
	return tool_native_result(t, r, argv[0]);
}

static const struct out_column limit_columns[] = { { "subject", OUT_TEXT },
						   { "direction", OUT_TEXT },
						   { "per", OUT_TEXT },
						   { "messages", OUT_NUMBER },
						   { "recipients", OUT_NUMBER },
						   { "octets", OUT_NUMBER },
						   { NULL, OUT_TEXT } };

/* As take_window() reads it. */
static void put_window(struct buf *b, uint64_t seconds)
{
	static const struct {
		unsigned seconds;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	size_t i = 0;

	while (seconds % units[i].seconds != 0)
		i++;
	buf_printf(b, "%llu%c",
		   (unsigned long long)(seconds / units[i].seconds),
		   units[i].unit);
}

static bool put_limit(void *arg, const struct sqlval *col)
{
	struct sqlval shown[6];
	struct buf per = BUF_INIT(32);
	bool ok;

	memcpy(shown, col, sizeof(shown));
	put_window(&per, col[2].u);
	shown[2] = sql_bytes(buf_span(&per));
	ok = buf_ok(&per) && out_row(arg, shown);
	buf_release(&per);
	return ok;
}

static int limit_show(struct tool *t, int argc, char **argv)
{
	struct addr subject = { .n = 0 };
	struct out *o;
	int code;

	if (argc > 0 && !take_subject(t, argv[0], &subject))
		return EX_DATAERR;
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	o = out_new("limits", limit_columns, t->json);
	if (!o)
		return tool_fail(EX_OSERR, "out of memory");
	code = tool_native_result(
		t, limittable_list(t->db, addr_span(&subject), put_limit, o),
		"");
	if (code == EX_OK)
		out_print_list(o);
	out_free(&o);
	return code;
}

static const struct out_column usage_columns[] = {
	{ "subject", OUT_TEXT },    { "direction", OUT_TEXT },
	{ "per", OUT_TEXT },        { "messages", OUT_NUMBER },
	{ "of", OUT_NUMBER },       { "recipients", OUT_NUMBER },
	{ "of them", OUT_NUMBER },  { "octets", OUT_NUMBER },
	{ "of these", OUT_NUMBER }, { "ends", OUT_TEXT },
	{ NULL, OUT_TEXT }
};

static bool put_usage(void *arg, const struct sqlval *col)
{
	struct sqlval shown[10];
	struct buf per = BUF_INIT(32), ends = BUF_INIT(64);
	bool ok;

	memcpy(shown, col, sizeof(shown));
	put_window(&per, col[2].u);
	if (col[9].u)
		trace_put_date(&ends, (int64_t)col[9].u);
	shown[2] = sql_bytes(buf_span(&per));
	shown[9] = sql_bytes(buf_span(&ends));
	ok = buf_ok(&per) && buf_ok(&ends) && out_row(arg, shown);
	buf_release(&per);
	buf_release(&ends);
	return ok;
}

static int limit_usage(struct tool *t, int argc, char **argv)
{
	struct span address, domain;
	struct addr subject;
	struct out *o;
	int code;

	(void)argc;
	if (!take_subject(t, argv[0], &subject))
		return EX_DATAERR;
	if (span_is(addr_span(&subject), "*") ||
	    span_is(addr_span(&subject), "@*"))
		return tool_fail(EX_DATAERR, "whose? An address or a domain");
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	address = subject.at ? addr_span(&subject) : SPAN_EMPTY;
	domain = span_skip(addr_span(&subject), subject.at);
	o = out_new("usage", usage_columns, t->json);
	if (!o)
		return tool_fail(EX_OSERR, "out of memory");
	code = tool_native_result(
		t, limittable_usage(t->db, address, domain, put_usage, o), "");
	if (code == EX_OK)
		out_print_list(o);
	out_free(&o);
	return code;
}

static int limit_reset(struct tool *t, int argc, char **argv)
{
	struct addr subject;
	enum native_result r;

	(void)argc;
	if (!take_subject(t, argv[0], &subject))
		return EX_DATAERR;
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	r = limittable_reset(t->db, addr_span(&subject), wanted.direction);
	if (r == NATIVE_NONE)
		return tool_fail(EX_NOUSER, "nothing is counted for '%s'",
				 argv[0]);
	return tool_native_result(t, r, argv[0]);
}

const struct verb limit_verbs[] = {
	{ .noun = "limit",
	  .name = "set",
	  .min_args = 2,
	  .max_args = 2,
	  .usage = "NAME PERIOD [--in] [--messages N] [--recipients N] "
		   "[--octets SIZE]",
	  .help = "how much it may send, or receive, in a period",
	  .run = limit_set,
	  .options = set_options,
	  .option = limit_option },
	{ .noun = "limit",
	  .name = "unset",
	  .min_args = 1,
	  .max_args = 2,
	  .usage = "NAME [PERIOD] [--in]",
	  .help = "as much as it likes",
	  .run = limit_unset,
	  .options = direction_option,
	  .option = limit_option },
	{ .noun = "limit",
	  .name = "show",
	  .max_args = 1,
	  .usage = "[NAME]",
	  .help = "the limits that are set",
	  .run = limit_show },
	{ .noun = "limit",
	  .name = "usage",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "ADDRESS|DOMAIN",
	  .help = "which limits hold for it, and what it has used",
	  .run = limit_usage },
	{ .noun = "limit",
	  .name = "reset",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "ADDRESS|DOMAIN [--in]",
	  .help = "count from nothing again",
	  .run = limit_reset,
	  .options = direction_option,
	  .option = limit_option },
	{ .noun = NULL }
};
