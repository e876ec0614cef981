/* ctl/checkmtaconf.c: our own options: where one is set, what to type to
 * change it, and the one that check --fix sets itself. */
#include "ctl/checkmta.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/confload.h"
#include "sql/readfile.h"

#define DISCARD "discard_when_done"

struct origin {
	char file[1024]; /* "" = nothing sets it */
	uint64_t line;
};

static bool is_key(struct span line, const char *key)
{
	struct span left, right;

	return span_cut(line, '=', &left, &right) &&
	       span_is(span_trim(left), key);
}

static struct span after_hash(struct span line)
{
	return span_starts_nocase(line, SPAN_LIT("# ")) ? span_skip(line, 2)
							: SPAN_EMPTY;
}

/* conf_show() prints "# FILE:LINE" above each option that a file sets. */
static void find_origin(const struct conf *c, const char *key,
			struct origin *o_r)
{
	struct span rest, line, above = SPAN_EMPTY;
	struct buf b = BUF_INIT(1 << 20);
	size_t colon;

	*o_r = (struct origin){ .line = 0 };
	conf_show(c, PROG_ALL, true, &b);
	for (rest = buf_span(&b); rest.n > 0; above = line) {
		span_cut(rest, '\n', &line, &rest);
		if (!is_key(line, key))
			continue;
		above = after_hash(above);
		for (colon = above.n; colon > 0; colon--)
			if (above.p[colon - 1] == ':')
				break;
		if (colon > 0 && colon <= sizeof(o_r->file) &&
		    span_u64(span_skip(above, colon), &o_r->line))
			snprintf(o_r->file, sizeof(o_r->file), "%.*s",
				 (int)colon - 1, above.p);
	}
	buf_release(&b);
}

/* A name that a shell leaves as it is. */
static bool is_plain(const char *path)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "abcdefghijklmnopqrstuvwxyz"
				   "0123456789/._+-";

	return *path && path[strspn(path, good)] == '\0';
}

const char *mta_option_fix(const struct mta *m, const char *key,
			   const char *value, const char *systemctl,
			   char fix[CHECK_FIX_MAX])
{
	const char *main_file = check_tool(m->k)->conf_file;
	struct origin o;

	find_origin(m->conf, key, &o);
	if (o.file[0] && is_plain(o.file))
		snprintf(fix, CHECK_FIX_MAX,
			 "sed -i '%" PRIu64 "s|.*|%s = %.1000s|' %s; "
			 "systemctl %s",
			 o.line, key, value, o.file, systemctl);
	else if (!o.file[0] && is_plain(main_file))
		snprintf(fix, CHECK_FIX_MAX,
			 "echo '%s = %.1000s' >>%s; "
			 "systemctl %s",
			 key, value, main_file, systemctl);
	else
		snprintf(fix, CHECK_FIX_MAX, "%s = %.1000s in mailrow.conf",
			 key, value);
	return fix;
}

const char *mta_check_fix(const struct mta *m, char fix[CHECK_FIX_MAX])
{
	const char *file = check_tool(m->k)->conf_file;
	const char *dir = check_options(m->k)->mta_config;
	bool usual = strcmp(file, CONF_SYSCONFDIR "/mailrow.conf") == 0;

	snprintf(fix, CHECK_FIX_MAX, "mailrow%s%.1000s check --fix%s%.1000s",
		 usual ? "" : " -c ", usual ? "" : file,
		 dir ? " --mta-config " : "", dir ? dir : "");
	return fix;
}

/* conf.d beside mailrow.conf, and our file in it. */
struct place {
	char dir[900];
	char path[1024];
	char temporary[1024];
};

static void find_place(const struct mta *m, struct place *p)
{
	const char *file = check_tool(m->k)->conf_file;
	const char *slash = strrchr(file, '/');
	int n = slash ? (int)(slash - file) + 1 : 0;

	snprintf(p->dir, sizeof(p->dir), "%.*sconf.d", n, file);
	snprintf(p->path, sizeof(p->path), "%s/90-check.conf", p->dir);
	snprintf(p->temporary, sizeof(p->temporary), "%s/.90-check.XXXXXX",
		 p->dir);
}

/* The former lines, in their order; ours replaces its like. */
static void put_lines(struct span former, struct buf *out)
{
	struct span rest = former, line;

	while (rest.n > 0) {
		span_cut(rest, '\n', &line, &rest);
		if (is_key(line, DISCARD))
			continue;
		buf_put_span(out, line);
		buf_putc(out, '\n');
	}
	if (former.n == 0)
		buf_puts(out, "# written by mailrow check --fix\n");
	buf_puts(out, DISCARD " = yes\n");
}

static bool sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Beside it first, then in one step over it. */
static bool replace_file(struct place *p, struct span text)
{
	int fd = mkostemp(p->temporary, O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text.p, text.n) == (ssize_t)text.n &&
	     fchmod(fd, 0644) == 0 && fsync(fd) == 0;
	ok = close(fd) == 0 && ok && rename(p->temporary, p->path) == 0;
	if (!ok)
		(void)unlink(p->temporary);
	return ok && sync_dir(p->dir);
}

static bool write_option(struct place *p)
{
	struct buf former = BUF_INIT(CONFLOAD_FILE_MAX);
	struct buf text = BUF_INIT(CONFLOAD_FILE_MAX);
	bool ok = mkdir(p->dir, 0755) == 0 || errno == EEXIST;

	ok = ok && (readfile(p->path, &former, NULL) || errno == ENOENT);
	if (ok)
		put_lines(buf_span(&former), &text);
	ok = ok && buf_ok(&text) && replace_file(p, buf_span(&text));
	buf_release(&former);
	buf_release(&text);
	return ok;
}

/* A file of conf.d that is read after ours has the last word. */
static bool is_later(const struct origin *o, const struct place *p)
{
	size_t n = strlen(p->dir);

	return strncmp(o->file, p->dir, n) == 0 && o->file[n] == '/' &&
	       strcmp(o->file, p->path) > 0;
}

void mta_set_discard(struct mta *m)
{
	char fix[CHECK_FIX_MAX];
	struct origin o;
	struct place p;

	find_place(m, &p);
	find_origin(m->conf, DISCARD, &o);
	if (o.file[0] && is_later(&o, &p))
		mta_say(m, CHECK_WARN, "discard",
			mta_option_fix(m, DISCARD, "yes",
				       "reload mailrow-milter", fix),
			"clean, but %s, which is read after 90-check.conf, "
			"says " DISCARD " = no",
			o.file);
	else if (write_option(&p))
		mta_say(m, CHECK_OK, "discard",
			"systemctl reload mailrow-milter",
			"clean: " DISCARD " = yes is written to %s and takes a "
			"reload",
			p.path);
	else
		mta_say(m, CHECK_FAIL, "discard", mta_check_fix(m, fix),
			"cannot write %s: %s", p.path, strerror(errno));
}
