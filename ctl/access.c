/* ctl/access.c: mailrow access ...: who may write to whom. */
#include "ctl/tool.h"

#include <sysexits.h>

#include "ctl/out.h"

static const struct out_column access_columns[] = { { "scope", OUT_TEXT },
						    { "sender", OUT_TEXT },
						    { "action", OUT_TEXT },
						    { "note", OUT_TEXT },
						    { NULL, OUT_TEXT } };

/* Of the one list that a run of the tool prints: "" = of all. */
static struct pattern wanted;

static enum native_result list_wanted(struct db *db, native_row row, void *arg)
{
	const struct sqlval param[] = { sql_bytes(pattern_span(&wanted)),
					sql_bytes(pattern_span(&wanted)) };

	return native_list(db, Q_RULE_LIST, param, row, arg);
}

static int access_list(struct tool *t, int argc, char **argv)
{
	if (argc > 0 && !tool_pattern(t, argv[0], PATTERNS_SCOPE, &wanted))
		return EX_DATAERR;
	return tool_print_list(t, "rules", access_columns, list_wanted, NULL);
}

static int access_set(struct tool *t, int argc, char **argv)
{
	struct span action = span_of(argv[2]);
	struct pattern scope, sender;
	struct sqlval param[4] = { sql_null(), sql_null(), sql_bytes(action),
				   sql_bytes(
					   span_of(argc > 3 ? argv[3] : "")) };

	if (!tool_pattern(t, argv[0], PATTERNS_SCOPE, &scope) ||
	    !tool_pattern(t, argv[1], PATTERNS_SENDER, &sender))
		return EX_DATAERR;
	if (!span_is(action, "allow") && !span_is(action, "deny"))
		return tool_fail(EX_DATAERR, "'%s' is neither allow nor deny",
				 argv[2]);
	param[0] = sql_bytes(pattern_span(&scope));
	param[1] = sql_bytes(pattern_span(&sender));
	return tool_set(t, Q_RULE_PUT, param);
}

static int access_unset(struct tool *t, int argc, char **argv)
{
	(void)argc;
	return tool_unset_pair(t, Q_RULE_DELETE, argv, PATTERNS_SCOPE,
			       PATTERNS_SENDER);
}

const struct verb access_verbs[] = {
	{ .noun = "access",
	  .name = "list",
	  .max_args = 1,
	  .usage = "[SCOPE]",
	  .help = "who may write to whom",
	  .run = access_list },
	{ .noun = "access",
	  .name = "set",
	  .min_args = 3,
	  .max_args = 4,
	  .usage = "SCOPE SENDER allow|deny [NOTE]",
	  .help = "let a sender write to an address, a domain or *, or not",
	  .run = access_set },
	{ .noun = "access",
	  .name = "unset",
	  .min_args = 2,
	  .max_args = 2,
	  .usage = "SCOPE SENDER",
	  .help = "forget the rule",
	  .run = access_unset },
	{ .noun = NULL }
};
