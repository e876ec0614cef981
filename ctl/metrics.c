/* ctl/metrics.c: mailrow metrics: what the daemons count, as Prometheus reads
 * it (text exposition format 0.0.4): to stdout, to a file that is replaced as
 * a whole, or as the answer to one HTTP request on stdin and stdout. */
#include "ctl/tool.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "config.h"
#include "lib/clock.h"
#include "lib/metric.h"

static const enum program daemons[] = { PROG_MILTER, PROG_LMTPD, PROG_AUTHD,
					PROG_POP3D };

enum {
	DAEMONS = sizeof(daemons) / sizeof(*daemons),
	REQUEST_MAX = 8192,
	REQUEST_MS = 5000,
	TEXT_MAX = 1 << 20
};

static const struct option metrics_long[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "http", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static struct {
	const char *output;
	bool http;
} opt;

static int take_option(struct tool *t, int val, const char *argument)
{
	(void)t;
	if (val == 'o')
		opt.output = argument;
	else
		opt.http = true;
	return EX_OK;
}

/* Beside the label of its row each value has its daemon's. */
static void put_labels(struct buf *b, size_t d, const char *more)
{
	buf_printf(b, "{program=\"%s\"%s%s}", program_name(daemons[d]),
		   *more ? "," : "", more);
}

static void put_count(struct buf *b, size_t d, const struct metric_value *v)
{
	const struct metric *m = &metrics[v->id];
	char label[128];

	(void)snprintf(label, sizeof(label), v->name[0] ? "%s=\"%s\"" : "%s",
		       m->label, v->name);
	buf_printf(b, "mailrow_%s", m->family);
	put_labels(b, d, label);
	buf_printf(b, " %llu\n", (unsigned long long)v->total);
}

static void put_seconds(struct buf *b, size_t d, const struct metric_value *v)
{
	const char *family = metrics[v->id].family;
	unsigned long long n = 0;
	char le[32] = "le=\"+Inf\"";

	for (size_t i = 0; i < METRIC_BUCKETS; i++) {
		n += v->bucket[i];
		if (i < METRIC_BUCKETS - 1)
			(void)snprintf(le, sizeof(le), "le=\"%g\"",
				       (double)metric_bucket[i] / 1e6);
		else
			(void)snprintf(le, sizeof(le), "le=\"+Inf\"");
		buf_printf(b, "mailrow_%s_bucket", family);
		put_labels(b, d, le);
		buf_printf(b, " %llu\n", n);
	}
	buf_printf(b, "mailrow_%s_sum", family);
	put_labels(b, d, "");
	buf_printf(b, " %.6f\nmailrow_%s_count", (double)v->us / 1e6, family);
	put_labels(b, d, "");
	buf_printf(b, " %llu\n", n);
}

static void put_head(struct buf *b, const char *family, const char *type,
		     const char *help)
{
	buf_printf(b, "# HELP mailrow_%s %s\n# TYPE mailrow_%s %s\n", family,
		   help, family, type);
}

/* Rows of one family stand together. */
static void put_row(struct buf *b, enum metric_id id,
		    struct metric_file *const file[DAEMONS])
{
	static const char *const type[] = { [METRIC_IS_COUNT] = "counter",
					    [METRIC_IS_NAMED] = "counter",
					    [METRIC_IS_GAUGE] = "gauge",
					    [METRIC_IS_SECONDS] = "histogram" };
	const struct metric *m = &metrics[id];

	if (id == 0 || strcmp(metrics[id - 1].family, m->family) != 0)
		put_head(b, m->family, type[m->kind], m->help);
	for (size_t d = 0; d < DAEMONS; d++) {
		if (!file[d] || !(m->programs & daemons[d]))
			continue;
		for (size_t i = 0; i < file[d]->n; i++) {
			const struct metric_value *v = &file[d]->value[i];

			if (v->id == id && m->kind == METRIC_IS_SECONDS)
				put_seconds(b, d, v);
			else if (v->id == id)
				put_count(b, d, v);
		}
	}
}

static void put_daemons(struct buf *b, struct metric_file *const file[DAEMONS])
{
	put_head(b, "up", "gauge", "1 while the daemon runs.");
	for (size_t d = 0; d < DAEMONS; d++) {
		bool up = file[d] && tool_daemon_runs(file[d]->pid,
						      program_name(daemons[d]));

		buf_puts(b, "mailrow_up");
		put_labels(b, d, "");
		buf_printf(b, " %d\n", up);
	}
	put_head(b, "start_time_seconds", "gauge",
		 "When the daemon was started, in seconds since the epoch.");
	for (size_t d = 0; d < DAEMONS; d++) {
		if (!file[d])
			continue;
		buf_puts(b, "mailrow_start_time_seconds");
		put_labels(b, d, "");
		buf_printf(b, " %lld\n", (long long)file[d]->opened);
	}
	put_head(b, "build_info", "gauge", "The version of this tool.");
	buf_printf(b, "mailrow_build_info{version=\"%s\"} 1\n",
		   PACKAGE_VERSION);
}

static void put_all(struct tool *t, struct buf *b)
{
	struct metric_file *file[DAEMONS];

	for (size_t d = 0; d < DAEMONS; d++)
		file[d] = metric_read(t->conf->counter_dir,
				      program_name(daemons[d]));
	put_daemons(b, file);
	for (enum metric_id id = 0; id < METRIC_COUNT; id++)
		put_row(b, id, file);
	for (size_t d = 0; d < DAEMONS; d++)
		free(file[d]);
}

/* A reader of the directory never sees half of it. */
static int write_file(const char *path, struct span text)
{
	char made[4096];
	FILE *f;
	bool ok;

	if (snprintf(made, sizeof(made), "%s.new", path) >= (int)sizeof(made))
		return tool_fail(EX_USAGE, "path too long: %s", path);
	f = fopen(made, "we");
	if (!f)
		return tool_fail(EX_CANTCREAT, "cannot write '%s': %s", made,
				 strerror(errno));
	ok = fchmod(fileno(f), 0644) == 0 &&
	     fwrite(text.p, 1, text.n, f) == text.n;
	ok &= fclose(f) == 0;
	if (ok && rename(made, path) == 0)
		return EX_OK;
	(void)unlink(made);
	return tool_fail(EX_IOERR, "cannot write '%s': %s", path,
			 strerror(errno));
}

/* Reads a request to its end, an empty line; what it asks for is the same. */
static bool take_request(void)
{
	char room[REQUEST_MAX + 1];
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t deadline = deadline_in(REQUEST_MS);
	size_t n = 0;

	while (n < REQUEST_MAX && poll(&p, 1, deadline_left(deadline)) > 0) {
		ssize_t got = read(STDIN_FILENO, room + n, REQUEST_MAX - n);

		if (got <= 0)
			return false;
		n += (size_t)got;
		room[n] = '\0';
		if (strstr(room, "\r\n\r\n") || strstr(room, "\n\n"))
			return strncmp(room, "GET ", 4) == 0;
	}
	return false;
}

static int answer_http(struct span text)
{
	if (!take_request()) {
		(void)fputs("HTTP/1.0 400 Bad Request\r\n"
			    "Connection: close\r\n\r\n",
			    stdout);
		return EX_PROTOCOL;
	}
	(void)printf("HTTP/1.0 200 OK\r\n"
		     "Content-Type: text/plain; version=0.0.4\r\n"
		     "Content-Length: %zu\r\nConnection: close\r\n\r\n",
		     text.n);
	(void)fwrite(text.p, 1, text.n, stdout);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static int metrics_run(struct tool *t, int argc, char **argv)
{
	struct buf b = BUF_INIT(TEXT_MAX);
	int code = EX_OK;

	(void)argc;
	(void)argv;
	if (opt.http && opt.output)
		return tool_fail(EX_USAGE, "--http and --output exclude "
					   "each other");
	put_all(t, &b);
	if (!buf_ok(&b))
		code = tool_fail(EX_OSERR, "out of memory");
	else if (opt.output)
		code = write_file(opt.output, buf_span(&b));
	else if (opt.http)
		code = answer_http(buf_span(&b));
	else if (fwrite(b.p, 1, b.n, stdout) != b.n || fflush(stdout) != 0)
		code = EX_IOERR;
	buf_release(&b);
	return code;
}

const struct verb metrics_verbs[] = {
	{ .noun = "metrics",
	  .name = "",
	  .usage = "[--output FILE | --http]",
	  .help = "what the daemons count, for Prometheus",
	  .run = metrics_run,
	  .options = metrics_long,
	  .option = take_option },
	{ .noun = NULL }
};
