/* ctl/undelete.c: mailrow undelete. */
#include "sql/undelete.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "ctl/boxarg.h"
#include "ctl/out.h"

enum { OPT_SINCE = 1, OPT_UID, OPT_DRY_RUN, UIDS_MAX = 1000 };

static const char *since_text;
static uint64_t uids[UIDS_MAX];
static size_t nuids;
static bool dry_run;

static const struct option undelete_options[] = {
	{ "since", required_argument, NULL, OPT_SINCE },
	{ "uid", required_argument, NULL, OPT_UID },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ NULL, 0, NULL, 0 }
};

static int take_uid(const char *text)
{
	if (nuids == UIDS_MAX)
		return tool_fail(EX_USAGE, "more than %d mails named",
				 UIDS_MAX);
	if (!span_u64(span_of(text), &uids[nuids]))
		return tool_fail(EX_DATAERR,
				 "'%s' is no uid: the number that mailrow "
				 "mailbox list showed before the mail was "
				 "deleted",
				 text);
	nuids++;
	return EX_OK;
}

static int undelete_option(struct tool *t, int val, const char *argument)
{
	(void)t;
	switch (val) {
	case OPT_UID:
		return take_uid(argument);
	case OPT_SINCE:
		since_text = argument;
		break;
	default:
		dry_run = true;
		break;
	}
	return EX_OK;
}

static const struct out_column columns[] = {
	{ "mailbox_id", OUT_NUMBER }, { "address", OUT_TEXT },
	{ "mails", OUT_NUMBER },      { "octets", OUT_NUMBER },
	{ "dry_run", OUT_FLAG },      { NULL, OUT_TEXT }
};

static int print(struct tool *t, const struct boxarg *b, uint64_t mails,
		 uint64_t octets)
{
	const struct sqlval col[] = { sql_u64(b->id),
				      sql_bytes(span_of(b->address)),
				      sql_u64(mails), sql_u64(octets),
				      sql_u64(dry_run) };
	struct out *o = out_new("undelete", columns, t->json);

	if (!o)
		return tool_fail(EX_OSERR, "out of memory");
	out_row(o, col);
	out_print_record(o);
	out_free(&o);
	return EX_OK;
}

/* EX_OK, or an exit code after a message. */
static int parse_since(struct tool *t, uint64_t *since_r)
{
	uint64_t now;

	*since_r = 0;
	if (!since_text)
		return EX_OK;
	if (undelete_now(t->db, &now) != DB_OK)
		return tool_fail(EX_TEMPFAIL, "the database did not do it: %s",
				 db_why(t->db));
	return boxarg_since(since_text, now, since_r) ? EX_OK : EX_DATAERR;
}

static int undelete_verb(struct tool *t, int argc, char **argv)
{
	struct undelete u = { .uid = uids, .n = nuids, .dry_run = dry_run };
	uint64_t mails, octets;
	struct boxarg box;
	enum db_result r;
	int code;

	(void)argc;
	if (!tool_db_purge(t))
		return EX_UNAVAILABLE;
	code = boxarg_find(t, argv[0], &box);
	if (code == EX_OK)
		code = parse_since(t, &u.since);
	if (code != EX_OK)
		return code;
	u.mailbox_id = box.id;
	r = undelete_run(t->db, &u, &mails, &octets);
	code = print(t, &box, mails, octets);
	if (r != DB_OK)
		return tool_fail(EX_TEMPFAIL,
				 "the database did not do it all: %s",
				 db_why(t->db));
	return code;
}

const struct verb undelete_verbs[] = {
	{ .noun = "undelete",
	  .name = "",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "ADDRESS [--since TIME] [--uid N]... [--dry-run]",
	  .help = "bring back what POP3 deleted",
	  .run = undelete_verb,
	  .options = undelete_options,
	  .option = undelete_option },
	{ .noun = NULL }
};
