/* ctl/verify.c: mailrow verify. */
#include "sql/verify.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "ctl/boxarg.h"
#include "ctl/out.h"
#include "lib/clock.h"
#include "lib/esc.h"

enum {
	OPT_DEEP = 1,
	OPT_REPAIR,
	OPT_PROGRESS,
	BOXES_MAX = 1000,
	DRAW_MS = 200
};

static bool deep, repair, progress;

static const struct option verify_options[] = {
	{ "deep", no_argument, NULL, OPT_DEEP },
	{ "repair", no_argument, NULL, OPT_REPAIR },
	{ "progress", no_argument, NULL, OPT_PROGRESS },
	{ NULL, 0, NULL, 0 }
};

static int verify_option(struct tool *t, int val, const char *argument)
{
	(void)t;
	(void)argument;
	if (val == OPT_DEEP)
		deep = true;
	else if (val == OPT_REPAIR)
		repair = true;
	else
		progress = true;
	return EX_OK;
}

struct showing {
	struct out *table; /* with --json */
	bool draws, drawn;
	int64_t last;
};

static const struct out_column columns[] = {
	{ "finding", OUT_TEXT },      { "what", OUT_TEXT },
	{ "mailbox_id", OUT_NUMBER }, { "address", OUT_TEXT },
	{ "uid", OUT_NUMBER },        { "trash", OUT_FLAG },
	{ "content", OUT_TEXT },      { "mended", OUT_FLAG },
	{ "fix", OUT_TEXT },          { NULL, OUT_TEXT }
};

static void show(void *arg, const char *step, const struct verify_report *r)
{
	struct showing *s = arg;

	if (!s->draws || clock_ms() - s->last < DRAW_MS)
		return;
	s->last = clock_ms();
	s->drawn = true;
	fprintf(stderr,
		"\r%s: %" PRIu64 " mailboxes, %" PRIu64 " mails, %" PRIu64
		" bodies of %" PRIu64 " octets, %" PRIu64 " findings\033[K",
		step, r->mailboxes, r->mails, r->contents, r->octets,
		r->findings);
}

static void wipe(struct showing *s)
{
	if (s->drawn)
		fputs("\r\033[K", stderr);
	s->drawn = false;
}

static const char *hex(struct span id, char text[2 * CONTENT_ID_SIZE + 1])
{
	text[0] = '\0';
	for (size_t i = 0; i < id.n && i < CONTENT_ID_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", (unsigned char)id.p[i]);
	return text;
}

static void print_place(const struct verify_finding *f)
{
	char id[2 * CONTENT_ID_SIZE + 1];
	struct esc_text t;

	if (f->mailbox_id > 0)
		printf("mailbox %" PRIu64, f->mailbox_id);
	if (f->address.n > 0)
		printf(" (%s)", esc_text(&t, f->address));
	if (f->uid > 0)
		printf(" mail %" PRIu64 "%s", f->uid,
		       f->in_trash ? " in the trash" : "");
	if (f->content.n > 0)
		printf("%scontent %s", f->mailbox_id > 0 ? ", " : "",
		       hex(f->content, id));
}

static void tell(void *arg, const struct verify_finding *f)
{
	struct showing *s = arg;
	char id[2 * CONTENT_ID_SIZE + 1];
	const char *fix = f->mended ? "" : verify_fix(f->kind);
	const struct sqlval col[] = {
		sql_bytes(span_of(verify_name(f->kind))),
		sql_bytes(span_of(f->what)),
		sql_u64(f->mailbox_id),
		sql_bytes(f->address),
		sql_u64(f->uid),
		sql_u64(f->in_trash),
		sql_bytes(span_of(hex(f->content, id))),
		sql_u64(f->mended),
		sql_bytes(span_of(fix)),
	};

	if (s->table) {
		out_row(s->table, col);
		return;
	}
	wipe(s);
	printf("%-6s %-10s ", f->mended ? "mended" : "FAIL",
	       verify_name(f->kind));
	print_place(f);
	printf(": %s\n", f->what);
	if (*fix)
		printf("       %-10s -> %s\n", "", fix);
	fflush(stdout);
}

static void print_sum(const struct verify_report *r)
{
	printf("%" PRIu64 " mailboxes, %" PRIu64 " mails, %" PRIu64
	       " bodies of %" PRIu64 " octets, %" PRIu64
	       " uploads under way: %" PRIu64 " findings, %" PRIu64 " mended\n",
	       r->mailboxes, r->mails, r->contents, r->octets, r->uploads,
	       r->findings, r->mended);
}

static int run(struct tool *t, struct verify_settings *s)
{
	struct showing showing = { .draws = progress ||
					    isatty(STDERR_FILENO) == 1 };
	struct verify_report report;
	enum db_result r;

	if (t->json)
		showing.table = out_new("findings", columns, true);
	if (t->json && !showing.table)
		return tool_fail(EX_OSERR, "out of memory");
	s->progress = show;
	s->tell = tell;
	s->arg = &showing;
	r = verify_run(t->db, s, &report);
	wipe(&showing);
	if (showing.table)
		out_print_list(showing.table);
	else
		print_sum(&report);
	out_free(&showing.table);
	if (r != DB_OK)
		return tool_fail(
			EX_TEMPFAIL, "the database did not do it all: %s",
			*db_why(t->db) || !s->mender ? db_why(t->db)
						     : db_why(s->mender));
	return report.findings > report.mended ? 1 : EX_OK;
}

static int verify_verb(struct tool *t, int argc, char **argv)
{
	static uint64_t box[BOXES_MAX];
	struct verify_settings s = { .deep = deep, .box = box };
	struct boxarg b;
	int code;

	if (!tool_db(t))
		return EX_UNAVAILABLE;
	for (int i = 0; i < argc; i++) {
		code = boxarg_find(t, argv[i], &b);
		if (code != EX_OK)
			return code;
		box[s.n++] = b.id;
	}
	if (repair) {
		s.mender = tool_db_mender(t);
		if (!s.mender)
			return EX_UNAVAILABLE;
	}
	return run(t, &s);
}

const struct verb verify_verbs[] = {
	{ .noun = "verify",
	  .name = "",
	  .max_args = BOXES_MAX,
	  .usage = "[--deep] [--repair] [--progress] [ADDRESS...]",
	  .help = "does the store fit together; exit 1: it does not",
	  .run = verify_verb,
	  .options = verify_options,
	  .option = verify_option },
	{ .noun = NULL }
};
