/* ctl/purge.c: mailrow purge. */
#include "ctl/tool.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "ctl/boxarg.h"
#include "ctl/out.h"
#include "ctl/purge.h"
#include "lib/clock.h"

enum { OPT_DRY_RUN = 1, OPT_LIMIT_TIME, DRAW_MS = 200 };

static bool dry_run;
static uint64_t limit_seconds; /* 0: none */

static const struct option purge_options[] = {
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "limit-time", required_argument, NULL, OPT_LIMIT_TIME },
	{ NULL, 0, NULL, 0 }
};

static int purge_option(struct tool *t, int val, const char *argument)
{
	(void)t;
	if (val == OPT_DRY_RUN)
		dry_run = true;
	else if (!boxarg_duration(argument, &limit_seconds))
		return EX_DATAERR;
	else if (limit_seconds == 0)
		return tool_fail(EX_DATAERR, "no time is no limit");
	return EX_OK;
}

static void draw(const char *step, const struct purge_report *r)
{
	fprintf(stderr,
		"\r%s: %" PRIu64 " from the trash, %" PRIu64
		" receipts, %" PRIu64 " mails, %" PRIu64 " bodies\033[K",
		step, r->trash, r->receipts, r->mails, r->contents);
}

bool progress_show(void *arg, const char *step, const struct purge_report *r)
{
	struct progress *p = arg;

	if (p->terminal && clock_ms() - p->drawn >= DRAW_MS) {
		p->drawn = clock_ms();
		draw(step, r);
	}
	return p->deadline == 0 || deadline_left(p->deadline) > 0;
}

void progress_start(struct progress *p, uint64_t seconds)
{
	*p = (struct progress){
		.terminal = isatty(STDERR_FILENO) == 1,
		.drawn = clock_ms(),
		.deadline = seconds ? deadline_in((int64_t)seconds * 1000) : 0
	};
}

void progress_end(const struct progress *p)
{
	if (p->terminal)
		fputs("\r\033[K", stderr);
}

/* In the order of the columns. */
static const struct out_column report_columns[] = {
	{ "expired", OUT_NUMBER },   { "expired_octets", OUT_NUMBER },
	{ "trash", OUT_NUMBER },     { "trash_octets", OUT_NUMBER },
	{ "receipts", OUT_NUMBER },  { "mailboxes", OUT_NUMBER },
	{ "mails", OUT_NUMBER },     { "mail_octets", OUT_NUMBER },
	{ "contents", OUT_NUMBER },  { "freed_octets", OUT_NUMBER },
	{ "repaired", OUT_NUMBER },  { "gone", OUT_NUMBER },
	{ "back", OUT_NUMBER },      { "retired", OUT_NUMBER },
	{ "unknown", OUT_NUMBER },   { "strays", OUT_NUMBER },
	{ "decisions", OUT_NUMBER }, { "dry_run", OUT_FLAG },
	{ "complete", OUT_FLAG },    { NULL, OUT_TEXT }
};

int purge_print(struct tool *t, const struct purge_report *r, bool dry)
{
	const struct sqlval col[] = {
		sql_u64(r->expired),   sql_u64(r->expired_octets),
		sql_u64(r->trash),     sql_u64(r->trash_octets),
		sql_u64(r->receipts),  sql_u64(r->mailboxes),
		sql_u64(r->mails),     sql_u64(r->mail_octets),
		sql_u64(r->contents),  sql_u64(r->content_octets),
		sql_u64(r->repaired),  sql_u64(r->gone),
		sql_u64(r->back),      sql_u64(r->retired),
		sql_u64(r->unknown),   sql_u64(r->strays),
		sql_u64(r->decisions), sql_u64(dry),
		sql_u64(r->complete),
	};
	struct out *o = out_new("purge", report_columns, t->json);

	if (!o)
		return tool_fail(EX_OSERR, "out of memory");
	out_row(o, col);
	out_print_record(o);
	out_free(&o);
	return EX_OK;
}

static uint64_t seconds(int64_t ms)
{
	return (uint64_t)(ms / 1000);
}

static uint64_t longer(int64_t a, int64_t b)
{
	return seconds(a > b ? a : b);
}

/* A minute more than the longest session, for clocks and commits on their
 * way; an hour for receipts, which the daemons judge by themselves. */
static void settle(const struct tool *t, struct purge_settings *s)
{
	const struct conf *c = t->conf;

	s->trash_age = longer(c->undelete_window, c->session_max + 60000);
	s->receipt_age = seconds(c->receipt_window) + 3600;
	s->gone_age = seconds(c->mailbox_grace);
	s->retired_age = longer(c->mailbox_grace, c->session_max + 60000);
	s->retention = c->retention;
	s->decision_age = seconds(c->decision_keep);
	s->decision_rows = c->decision_rows;
	s->dry_run = dry_run;
	s->profile = t->profile;
	s->fold_local_part = c->fold_local_part;
}

static int finish(struct tool *t, enum db_result r,
		  const struct purge_report *report)
{
	int code = purge_print(t, report, dry_run);

	if (r != DB_OK)
		return tool_fail(EX_TEMPFAIL,
				 "the database did not do it all: %s; the "
				 "next run goes on",
				 db_why(t->db));
	if (report->accounts_away)
		return tool_fail(EX_TEMPFAIL,
				 "the accounts could not be asked: nothing "
				 "was retired for them");
	return code;
}

static int purge_verb(struct tool *t, int argc, char **argv)
{
	struct purge_settings s = { .go_on = progress_show };
	struct purge_report report;
	struct progress progress;
	enum db_result r;

	(void)argc;
	(void)argv;
	if (!tool_profile(t))
		return EX_CONFIG;
	if (!tool_db_purge(t))
		return EX_UNAVAILABLE;
	s.accounts = tool_accounts(t);
	settle(t, &s);
	progress_start(&progress, limit_seconds);
	s.arg = &progress;
	r = purge_run(t->db, &s, &report);
	progress_end(&progress);
	return finish(t, r, &report);
}

const struct verb purge_verbs[] = {
	{ .noun = "purge",
	  .name = "",
	  .usage = "[--dry-run] [--limit-time TIME]",
	  .help = "delete for good what is past its time",
	  .run = purge_verb,
	  .options = purge_options,
	  .option = purge_option },
	{ .noun = NULL }
};
