/* ctl/serve.c: mailrow serve ...: which recipients are stored. */
#include "ctl/tool.h"

#include <sysexits.h>

#include "ctl/out.h"
#include "sql/served.h"

static const struct out_column serve_columns[] = { { "name", OUT_TEXT },
						   { "mode", OUT_TEXT },
						   { NULL, OUT_TEXT } };

static int serve_list(struct tool *t, int argc, char **argv)
{
	const struct sqlval rest[] = { sql_bytes(SPAN_LIT("(all others)")),
				       sql_bytes(span_of(
					       t->conf->default_mode)) };

	(void)argc;
	(void)argv;
	return tool_print_list(t, "served", serve_columns, native_served_list,
			       rest);
}

static bool take_mode(const char *text, enum served_mode *mode_r)
{
	*mode_r = served_mode_of(span_of(text));
	if (*mode_r != SERVED_DEFAULT || span_is(span_of(text), "default"))
		return true;
	tool_fail(0, "'%s' is no mode: pass, mirror, store or default", text);
	return false;
}

static int serve_set(struct tool *t, int argc, char **argv)
{
	enum served_mode mode;
	struct addr a;

	(void)argc;
	if (!tool_name(t, argv[0], &a) || !take_mode(argv[1], &mode))
		return EX_DATAERR;
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	if (served_set(t->db, span_of(a.text), mode) != DB_OK)
		return tool_native_result(t, NATIVE_FAILED, argv[0]);
	return EX_OK;
}

const struct verb serve_verbs[] = {
	{ .noun = "serve",
	  .name = "list",
	  .usage = "",
	  .help = "what is stored, mirrored or passed on",
	  .run = serve_list },
	{ .noun = "serve",
	  .name = "",
	  .min_args = 2,
	  .max_args = 2,
	  .usage = "ADDRESS|DOMAIN pass|mirror|store|default",
	  .help = "store its mail, store a copy, or leave it to the MTA",
	  .run = serve_set },
	{ .noun = NULL }
};
