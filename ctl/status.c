/* ctl/status.c: mailrow status: how it all is, on one screen. */
#include "ctl/tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ctl/out.h"
#include "lib/clock.h"
#include "lib/metric.h"
#include "sql/status.h"

static const enum program daemons[] = { PROG_MILTER, PROG_LMTPD, PROG_AUTHD,
					PROG_POP3D };

static const struct out_column status_columns[] = { { "part", OUT_TEXT },
						    { "what", OUT_TEXT },
						    { "value", OUT_TEXT },
						    { "a_minute", OUT_TEXT },
						    { NULL, OUT_TEXT } };

/* What the lines go to, and the exit code so far. */
struct status {
	struct tool *tool;
	struct out *out;
	int code;
};

static void put(struct status *s, const char *part, const char *what,
		const char *value, const char *a_minute)
{
	const struct sqlval col[] = { sql_bytes(span_of(part)),
				      sql_bytes(span_of(what)),
				      sql_bytes(span_of(value)),
				      sql_bytes(span_of(a_minute)) };

	if (!out_row(s->out, col))
		s->code = tool_fail(EX_OSERR, "out of memory");
}

static void put_number(struct status *s, const char *part, const char *what,
		       uint64_t n)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	put(s, part, what, text, "");
}

static void put_store(struct status *s, const struct store_status *f)
{
	put(s, "database", "server", f->server, "");
	put_number(s, "database", "mailboxes", f->mailboxes);
	put_number(s, "database", "retired mailboxes", f->retired);
	put_number(s, "database", "messages", f->messages);
	put_number(s, "database", "octets", f->octets);
	put_number(s, "database", "mails, last minute", f->mails_minute);
	put_number(s, "database", "mails, last hour", f->mails_hour);
	put_number(s, "database", "octets, last hour", f->octets_hour);
	put_number(s, "trash", "rows", f->trash);
	put_number(s, "trash", "rows to be purged", f->trash_overdue);
	if (f->trash_oldest[0])
		put(s, "trash", "oldest", f->trash_oldest, "");
	put(s, "trash", "last purge", f->purged[0] ? f->purged : "never", "");
}

static void status_database(struct status *s)
{
	struct tool *t = s->tool;
	uint64_t window = (uint64_t)(t->conf->undelete_window / 1000);
	struct store_status f;

	if (!tool_db(t)) {
		put(s, "database", "server", "does not answer", "");
		s->code = EX_UNAVAILABLE;
	} else if (status_store(t->db, window, &f) != DB_OK) {
		put(s, "database", "server", db_why(t->db), "");
		s->code = EX_UNAVAILABLE;
	} else {
		put_store(s, &f);
	}
}

static void put_value(struct status *s, const char *part,
		      const struct metric_value *v)
{
	const struct metric *m = &metrics[v->id];
	char what[96], total[32], rate[24] = "";

	(void)snprintf(what, sizeof(what), "%s%s%s", m->text,
		       v->name[0] ? ": " : "", v->name);
	(void)snprintf(total, sizeof(total), "%llu",
		       (unsigned long long)v->total);
	if (m->kind == METRIC_IS_SECONDS)
		(void)snprintf(total, sizeof(total), "%.1f ms",
			       (double)v->us / 1000 / (double)v->total);
	if (m->kind != METRIC_IS_GAUGE)
		(void)snprintf(rate, sizeof(rate), "%.1f",
			       (double)v->recent / METRIC_MINUTES);
	put(s, part, what, total, rate);
}

static void put_since(struct status *s, const char *name, int64_t opened)
{
	long long up = (long long)(clock_unix() - opened);
	char text[64];

	(void)snprintf(text, sizeof(text), "running for %lldd %02lld:%02lld",
		       up / 86400, up / 3600 % 24, up / 60 % 60);
	put(s, name, "state", text, "");
}

static void status_daemon(struct status *s, enum program p)
{
	const char *name = program_name(p);
	struct metric_file *f = metric_read(s->tool->conf->counter_dir, name);

	if (!f) {
		put(s, name, "state",
		    errno == ENOENT ? "not started" : strerror(errno), "");
		return;
	}
	if (tool_daemon_runs(f->pid, name)) {
		put_since(s, name, f->opened);
	} else {
		put(s, name, "state", "stopped", "");
		s->code = s->code == EX_OK ? EX_UNAVAILABLE : s->code;
	}
	for (size_t i = 0; i < f->n; i++)
		if (f->value[i].total > 0)
			put_value(s, name, &f->value[i]);
	free(f);
}

static int status_run(struct tool *t, int argc, char **argv)
{
	struct status s = { .tool = t };

	(void)argc;
	(void)argv;
	s.out = out_new("status", status_columns, t->json);
	if (!s.out)
		return tool_fail(EX_OSERR, "out of memory");
	status_database(&s);
	for (size_t i = 0; i < sizeof(daemons) / sizeof(*daemons); i++)
		status_daemon(&s, daemons[i]);
	out_print_list(s.out);
	out_free(&s.out);
	return s.code;
}

const struct verb status_verbs[] = {
	{ .noun = "status",
	  .name = "",
	  .usage = "",
	  .help = "database, daemons, what they did and rejected",
	  .run = status_run },
	{ .noun = NULL }
};
