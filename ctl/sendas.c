/* ctl/sendas.c: mailrow send-as ...: as whom else a login may send. */
#include "ctl/tool.h"

#include <sysexits.h>

#include "ctl/out.h"

static const struct out_column grant_columns[] = { { "login", OUT_TEXT },
						   { "sender", OUT_TEXT },
						   { NULL, OUT_TEXT } };

/* Of the one list that a run of the tool prints: "" = of all. */
static struct pattern wanted;

static enum native_result list_wanted(struct db *db, native_row row, void *arg)
{
	const struct sqlval param[] = { sql_bytes(pattern_span(&wanted)),
					sql_bytes(pattern_span(&wanted)) };

	return native_list(db, Q_GRANT_LIST, param, row, arg);
}

static int send_as_list(struct tool *t, int argc, char **argv)
{
	if (argc > 0 && !tool_pattern(t, argv[0], PATTERNS_LOGIN, &wanted))
		return EX_DATAERR;
	return tool_print_list(t, "grants", grant_columns, list_wanted, NULL);
}

static int send_as_set(struct tool *t, int argc, char **argv)
{
	struct pattern login, sender;
	struct sqlval param[2];

	(void)argc;
	if (!tool_pattern(t, argv[0], PATTERNS_LOGIN, &login) ||
	    !tool_pattern(t, argv[1], PATTERNS_SEND_AS, &sender))
		return EX_DATAERR;
	param[0] = sql_bytes(pattern_span(&login));
	param[1] = sql_bytes(pattern_span(&sender));
	return tool_set(t, Q_GRANT_PUT, param);
}

static int send_as_unset(struct tool *t, int argc, char **argv)
{
	(void)argc;
	return tool_unset_pair(t, Q_GRANT_DELETE, argv, PATTERNS_LOGIN,
			       PATTERNS_SEND_AS);
}

const struct verb send_as_verbs[] = {
	{ .noun = "send-as",
	  .name = "list",
	  .max_args = 1,
	  .usage = "[LOGIN]",
	  .help = "as whom logins may send beside their own addresses",
	  .run = send_as_list },
	{ .noun = "send-as",
	  .name = "set",
	  .min_args = 2,
	  .max_args = 2,
	  .usage = "LOGIN SENDER",
	  .help = "let a login send as an address, a domain or *",
	  .run = send_as_set },
	{ .noun = "send-as",
	  .name = "unset",
	  .min_args = 2,
	  .max_args = 2,
	  .usage = "LOGIN SENDER",
	  .help = "no longer",
	  .run = send_as_unset },
	{ .noun = NULL }
};
