/* ctl/mailboxexport.c: mailrow mailbox export: one file as mbox (mboxrd), or a
 * Maildir. Both are made anew, never added to. Line ends become LF, as these
 * formats want; every other octet is what RETR would send. */
#include "ctl/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "ctl/boxarg.h"
#include "ctl/out.h"
#include "sql/export.h"

enum { OPT_MBOX = 1, OPT_MAILDIR, OPT_TRASH, PATH_SIZE = 4096 };

static const char *mbox_path, *maildir_path;
static bool trash;

const struct option mailboxexport_options[] = {
	{ "mbox", required_argument, NULL, OPT_MBOX },
	{ "maildir", required_argument, NULL, OPT_MAILDIR },
	{ "trash", no_argument, NULL, OPT_TRASH },
	{ NULL, 0, NULL, 0 }
};

int mailboxexport_option(struct tool *t, int val, const char *argument)
{
	(void)t;
	if (val == OPT_MBOX)
		mbox_path = argument;
	else if (val == OPT_MAILDIR)
		maildir_path = argument;
	else
		trash = true;
	return EX_OK;
}

struct writing {
	FILE *out;        /* the mbox, or the mail's file */
	const char *path; /* FILE or DIR */
	char tmp[PATH_SIZE];
	char host[128];
	bool held_cr; /* a CR whose LF has not come yet */
	bool line_start;
	unsigned quotes; /* '>' at the line's start, not yet written */
	size_t matched;  /* octets of "From " behind them */
	uint64_t mails, octets, damaged;
	int error; /* errno of what failed */
	bool failed;
};

static bool fail(struct writing *w)
{
	if (!w->failed)
		w->error = errno;
	w->failed = true;
	return false;
}

static void put(struct writing *w, char c)
{
	putc_unlocked(c, w->out);
}

/* mboxrd: a line of '>'s (or none) and "From " gets one more '>'. What may
 * still become such a beginning is held back. */
static const char from_word[] = "From ";
enum { FROM_SIZE = sizeof(from_word) - 1 };

static void flush_held(struct writing *w, bool quote)
{
	if (quote)
		put(w, '>');
	for (; w->quotes > 0; w->quotes--)
		put(w, '>');
	for (size_t i = 0; i < w->matched; i++)
		put(w, from_word[i]);
	w->matched = 0;
	w->line_start = false;
}

static void put_quoted(struct writing *w, char c)
{
	if (w->line_start && w->matched == 0 && c == '>') {
		w->quotes++;
		return;
	}
	if (w->line_start && c == from_word[w->matched]) {
		if (++w->matched == FROM_SIZE)
			flush_held(w, true);
		return;
	}
	if (w->line_start)
		flush_held(w, false);
	put(w, c);
	w->line_start = c == '\n';
}

static void put_plain(struct writing *w, char c)
{
	put(w, c);
	w->line_start = c == '\n';
}

static void put_lf(struct writing *w, struct span s,
		   void (*to)(struct writing *, char))
{
	for (size_t i = 0; i < s.n; i++) {
		if (w->held_cr && s.p[i] != '\n')
			to(w, '\r');
		w->held_cr = s.p[i] == '\r';
		if (!w->held_cr)
			to(w, s.p[i]);
	}
}

static void end_text(struct writing *w, void (*to)(struct writing *, char))
{
	if (w->held_cr)
		to(w, '\r');
	w->held_cr = false;
}

static void begin_text(struct writing *w)
{
	w->held_cr = false;
	w->line_start = true;
	w->quotes = 0;
	w->matched = 0;
}

static bool tell(struct writing *w, const struct export_mail *m, bool intact)
{
	w->mails++;
	w->octets += m->octets;
	if (!intact) {
		w->damaged++;
		tool_fail(0,
			  "mail %" PRIu64 " is damaged: what is stored is not "
			  "what its SHA-256 was made of",
			  m->uid);
	}
	return true;
}

/* The separator's sender must be one word. */
static bool mbox_begin(void *arg, const struct export_mail *m)
{
	struct writing *w = arg;
	time_t when = (time_t)m->received_at;
	char date[64] = "";
	struct tm tm;

	if (gmtime_r(&when, &tm))
		strftime(date, sizeof(date), "%a %b %e %H:%M:%S %Y", &tm);
	fputs("From ", w->out);
	for (size_t i = 0; i < m->sender.n; i++) {
		unsigned char c = (unsigned char)m->sender.p[i];

		put(w, c > ' ' && c != 0x7f ? (char)c : '_');
	}
	if (m->sender.n == 0)
		fputs("MAILER-DAEMON", w->out);
	fprintf(w->out, " %s\n", date);
	begin_text(w);
	return !ferror(w->out) || fail(w);
}

static bool mbox_data(void *arg, struct span piece)
{
	struct writing *w = arg;

	put_lf(w, piece, put_quoted);
	return !ferror(w->out) || fail(w);
}

static bool mbox_end(void *arg, const struct export_mail *m, bool intact)
{
	struct writing *w = arg;

	end_text(w, put_quoted);
	if (w->quotes > 0 || w->matched > 0)
		flush_held(w, false);
	if (!w->line_start)
		put(w, '\n');
	put(w, '\n');
	if (ferror(w->out))
		return fail(w);
	return tell(w, m, intact);
}

static bool maildir_begin(void *arg, const struct export_mail *m)
{
	struct writing *w = arg;
	int fd;

	snprintf(w->tmp, sizeof(w->tmp), "%s/tmp/%" PRId64 ".R%" PRIu64 ".%s",
		 w->path, m->received_at, m->uid, w->host);
	fd = open(w->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	w->out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!w->out) {
		(void)fail(w);
		if (fd >= 0)
			close(fd);
		return false;
	}
	begin_text(w);
	return true;
}

static bool maildir_data(void *arg, struct span piece)
{
	struct writing *w = arg;

	put_lf(w, piece, put_plain);
	return !ferror(w->out) || fail(w);
}

/* On the disk, with its date and its size, before it has its name in new/. */
static bool seal(struct writing *w, const struct export_mail *m,
		 struct stat *st_r)
{
	struct timespec times[2] = { { .tv_sec = (time_t)m->received_at },
				     { .tv_sec = (time_t)m->received_at } };
	bool ok;

	end_text(w, put_plain);
	ok = fflush(w->out) == 0 && !ferror(w->out) &&
	     futimens(fileno(w->out), times) == 0 &&
	     fsync(fileno(w->out)) == 0 && fstat(fileno(w->out), st_r) == 0;
	if (!ok)
		(void)fail(w);
	if (fclose(w->out) != 0 && ok)
		ok = fail(w);
	w->out = NULL;
	return ok;
}

static bool maildir_end(void *arg, const struct export_mail *m, bool intact)
{
	struct writing *w = arg;
	char name[PATH_SIZE + 64];
	struct stat st;

	if (!seal(w, m, &st))
		return false;
	snprintf(name, sizeof(name),
		 "%s/new/%" PRId64 ".R%" PRIu64 ".%s,S=%lld", w->path,
		 m->received_at, m->uid, w->host, (long long)st.st_size);
	if (link(w->tmp, name) != 0 || unlink(w->tmp) != 0)
		return fail(w);
	return tell(w, m, intact);
}

static const struct export_sink mbox_sink = { .begin = mbox_begin,
					      .data = mbox_data,
					      .end = mbox_end };
static const struct export_sink maildir_sink = { .begin = maildir_begin,
						 .data = maildir_data,
						 .end = maildir_end };

/* A half-written mbox looks like a whole one, so it does not stay. */
static enum db_result write_mbox(struct tool *t, struct writing *w, uint64_t id)
{
	struct export_sink sink = mbox_sink;
	enum db_result r = DB_OK;
	int fd;

	fd = open(w->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	w->out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!w->out) {
		(void)fail(w);
		if (fd >= 0)
			close(fd);
		return DB_OK;
	}
	sink.arg = w;
	r = export_box(t->db, id, trash, &sink);
	if (!w->failed && (fflush(w->out) != 0 || fsync(fd) != 0))
		(void)fail(w);
	if (fclose(w->out) != 0)
		(void)fail(w);
	if (r != DB_OK || w->failed)
		unlink(w->path);
	return r;
}

static bool make_maildir(struct writing *w)
{
	static const char *const parts[] = { "", "/tmp", "/new", "/cur" };
	char path[PATH_SIZE];

	for (size_t i = 0; i < 4; i++) {
		if (snprintf(path, sizeof(path), "%s%s", w->path, parts[i]) >=
		    (int)sizeof(path) - 256) {
			errno = ENAMETOOLONG;
			return fail(w);
		}
		if (mkdir(path, 0700) != 0)
			return fail(w);
	}
	return true;
}

static void sync_folder(struct writing *w, const char *part)
{
	char path[PATH_SIZE];
	int fd;

	snprintf(path, sizeof(path), "%s%s", w->path, part);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		(void)fail(w);
	if (fd >= 0)
		close(fd);
}

/* What was written before a failure are whole mails: they stay. */
static enum db_result write_maildir(struct tool *t, struct writing *w,
				    uint64_t id)
{
	struct export_sink sink = maildir_sink;
	enum db_result r;

	if (!make_maildir(w))
		return DB_OK;
	sink.arg = w;
	r = export_box(t->db, id, trash, &sink);
	if (w->out) {
		fclose(w->out);
		unlink(w->tmp);
	}
	if (!w->failed) {
		sync_folder(w, "/new");
		sync_folder(w, "");
	}
	return r;
}

/* A Maildir name knows neither '/' nor ':'. */
static void take_host(struct writing *w)
{
	if (gethostname(w->host, sizeof(w->host) - 1) != 0 || !w->host[0])
		snprintf(w->host, sizeof(w->host), "localhost");
	for (char *p = w->host; *p; p++)
		if (*p == '/' || *p == ':' || *p == ',')
			*p = '_';
}

static const struct out_column columns[] = {
	{ "mailbox_id", OUT_NUMBER }, { "address", OUT_TEXT },
	{ "mails", OUT_NUMBER },      { "octets", OUT_NUMBER },
	{ "damaged", OUT_NUMBER },    { NULL, OUT_TEXT }
};

static int print(struct tool *t, const struct boxarg *b,
		 const struct writing *w)
{
	const struct sqlval col[] = { sql_u64(b->id),
				      sql_bytes(span_of(b->address)),
				      sql_u64(w->mails), sql_u64(w->octets),
				      sql_u64(w->damaged) };
	struct out *o = out_new("export", columns, t->json);

	if (!o)
		return tool_fail(EX_OSERR, "out of memory");
	out_row(o, col);
	out_print_record(o);
	out_free(&o);
	return w->damaged > 0 ? 1 : EX_OK;
}

static int finish(struct tool *t, const struct boxarg *b,
		  const struct writing *w, enum db_result r)
{
	if (w->failed)
		return tool_fail(w->error == EEXIST ? EX_CANTCREAT : EX_IOERR,
				 "cannot write '%s': %s", w->path,
				 strerror(w->error));
	if (r != DB_OK)
		return tool_fail(EX_TEMPFAIL,
				 "the database did not do it all: %s",
				 db_why(t->db));
	return print(t, b, w);
}

int mailboxexport_verb(struct tool *t, int argc, char **argv)
{
	struct writing w = { .path = mbox_path ? mbox_path : maildir_path };
	struct boxarg b;
	enum db_result r;
	int code;

	(void)argc;
	if (!mbox_path == !maildir_path)
		return tool_fail(EX_USAGE,
				 "export needs --mbox FILE or --maildir DIR");
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	code = boxarg_find(t, argv[0], &b);
	if (code != EX_OK)
		return code;
	take_host(&w);
	r = mbox_path ? write_mbox(t, &w, b.id) : write_maildir(t, &w, b.id);
	return finish(t, &b, &w, r);
}
