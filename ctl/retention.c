/* ctl/retention.c: mailrow retention ...: how long mails stay. */
#include "ctl/tool.h"

#include <sysexits.h>

#include "ctl/out.h"
#include "sql/retention.h"

/* 0 days: for ever. */
static const struct out_column retention_columns[] = { { "name", OUT_TEXT },
						       { "days", OUT_NUMBER },
						       { NULL, OUT_TEXT } };

static int retention_list(struct tool *t, int argc, char **argv)
{
	const struct sqlval rest[] = { sql_bytes(SPAN_LIT("(all others)")),
				       sql_u64(t->conf->retention) };

	(void)argc;
	(void)argv;
	return tool_print_list(t, "retention", retention_columns,
			       native_retention_list, rest);
}

static bool take_days(const char *text, bool *forget_r, uint64_t *days_r)
{
	*days_r = 0;
	*forget_r = span_is(span_of(text), "default");
	if (*forget_r || span_is(span_of(text), "never"))
		return true;
	if (span_u64(span_of(text), days_r) && *days_r >= 1 &&
	    *days_r <= RETENTION_MAX)
		return true;
	tool_fail(0,
		  "'%s' is no number of days from 1 to %d, nor never or "
		  "default",
		  text, RETENTION_MAX);
	return false;
}

static int retention_change(struct tool *t, int argc, char **argv)
{
	struct addr a;
	enum db_result r;
	uint64_t days;
	bool forget;

	(void)argc;
	if (!tool_name(t, argv[0], &a) || !take_days(argv[1], &forget, &days))
		return EX_DATAERR;
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	r = forget ? retention_forget(t->db, span_of(a.text))
		   : retention_set(t->db, span_of(a.text), days);
	if (r != DB_OK)
		return tool_native_result(t, NATIVE_FAILED, argv[0]);
	return EX_OK;
}

const struct verb retention_verbs[] = {
	{ .noun = "retention",
	  .name = "list",
	  .usage = "",
	  .help = "how long mails stay in a mailbox",
	  .run = retention_list },
	{ .noun = "retention",
	  .name = "",
	  .min_args = 2,
	  .max_args = 2,
	  .usage = "ADDRESS|DOMAIN DAYS|never|default",
	  .help = "after how many days mails go to the trash",
	  .run = retention_change },
	{ .noun = NULL }
};
