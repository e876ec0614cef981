/* ctl/policy.c: mailrow policy: the predicates as the daemons try them. */
#include "ctl/policy.h"

#include <stdio.h>
#include <sysexits.h>

#include "ctl/out.h"
#include "policy/predicate.h"

static const struct out_column predicate_columns[] = {
	{ "order", OUT_NUMBER }, { "predicate", OUT_TEXT },
	{ "stage", OUT_TEXT },   { "needs", OUT_TEXT },
	{ "mode", OUT_TEXT },    { "reply", OUT_TEXT },
	{ "rejects", OUT_TEXT }, { NULL, OUT_TEXT }
};

/* "rcpt target store" */
static void put_stages(struct buf *b, unsigned stages)
{
	static const struct {
		enum stage stage;
		const char *name;
	} names[] = {
		{ STAGE_MAIL, "mail" },     { STAGE_RCPT, "rcpt" },
		{ STAGE_TARGET, "target" }, { STAGE_HEADERS, "headers" },
		{ STAGE_END, "end" },       { STAGE_STORE, "store" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (stages & names[i].stage)
			buf_printf(b, "%s%s", b->n ? " " : "", names[i].name);
}

static void put_codes(struct buf *b, const struct predicate *p)
{
	const struct reply *r = reply_get(p->reply);

	buf_printf(b, "%u %s", r->smtp, r->enhanced);
	if (p->hard == R_NONE)
		return;
	r = reply_get(p->hard);
	buf_printf(b, " or %u %s", r->smtp, r->enhanced);
}

static const char *needs_name(enum predicate_needs needs)
{
	static const char *const names[] = {
		[N_NONE] = "", [N_DATA] = "policy tables", [N_DB] = "database"
	};

	return names[needs];
}

static bool put_predicate(struct out *o, unsigned i)
{
	const struct predicate *p = predicate_get((enum predicate_id)i);
	struct buf stages = BUF_INIT(256), codes = BUF_INIT(256);
	bool ok;

	put_stages(&stages, p->stages);
	put_codes(&codes, p);
	const struct sqlval col[] = {
		sql_u64(i + 1),
		sql_bytes(span_of(p->name)),
		sql_bytes(buf_span(&stages)),
		sql_bytes(span_of(needs_name(p->needs))),
		sql_bytes(span_of(policy_mode_name(p->mode))),
		sql_bytes(buf_span(&codes)),
		sql_bytes(span_of(p->help)),
	};
	ok = out_row(o, col);
	buf_release(&stages);
	buf_release(&codes);
	return ok;
}

static int policy_list(struct tool *t, int argc, char **argv)
{
	struct out *o = out_new("predicates", predicate_columns, t->json);
	bool ok = o != NULL;

	(void)argc;
	(void)argv;
	for (unsigned i = 0; ok && i < PREDICATE_COUNT; i++)
		ok = put_predicate(o, i);
	if (ok)
		out_print_list(o);
	out_free(&o);
	return ok ? EX_OK : tool_fail(EX_OSERR, "out of memory");
}

const struct verb policy_verbs[] = {
	{ .noun = "policy",
	  .name = "list",
	  .usage = "",
	  .help = "the predicates, in the order in which they are tried",
	  .run = policy_list },
	{ .noun = "policy",
	  .name = "decisions",
	  .usage = "[--since TIME] [--login L] [--sender A] [--rcpt B] "
		   "[--client IP] [--predicate P] [--shadow] [--max N]",
	  .help = "what was decided about mails, the newest first",
	  .run = policy_decisions,
	  .options = policy_decisions_options,
	  .option = policy_decisions_option },
	{ .noun = "policy",
	  .name = "shadow",
	  .usage = "[--since TIME]",
	  .help = "who would have been rejected",
	  .run = policy_shadow,
	  .options = policy_shadow_options,
	  .option = policy_decisions_option },
	{ .noun = "policy",
	  .name = "modes",
	  .usage = "",
	  .help = "which of them were turned off, to shadow, or on",
	  .run = policy_modes_run },
	{ .noun = "policy",
	  .name = "mode",
	  .min_args = 2,
	  .max_args = 3,
	  .usage = "PREDICATE off|shadow|enforce|default [DOMAIN]",
	  .help = "turn one off, to shadow, or on",
	  .run = policy_mode_run },
	{ .noun = NULL }
};
