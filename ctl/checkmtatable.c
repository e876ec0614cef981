/* ctl/checkmtatable.c: the entries of Postfix's look-up tables, as far as they
 * are files that a person writes. Only what a table answers is of interest,
 * not to what. */
#include "ctl/checkmta.h"

#include <errno.h>
#include <stdio.h>

#include "lib/esc.h"
#include "sql/readfile.h"

enum { TABLE_MAX = 16 << 20 };

struct rows {
	mta_row *row;
	void *arg;
	bool pattern; /* /PATTERN/FLAGS before the answer, not a word */
};

/* Behind "/.../FLAGS"; any character may stand for the slash. */
static struct span skip_pattern(struct span s)
{
	char mark;
	size_t i;

	if (s.n > 0 && s.p[0] == '!')
		s = span_trim(span_skip(s, 1));
	if (s.n == 0)
		return s;
	mark = s.p[0];
	for (i = 1; i < s.n && s.p[i] != mark; i++)
		if (s.p[i] == '\\')
			i++;
	return span_skip(s, i + 1);
}

static bool is_word(struct span s, const char *word)
{
	struct span w = span_of(word);

	return span_starts_nocase(s, w) &&
	       (s.n == w.n || strchr(" \t/!", s.p[w.n]) != NULL);
}

static struct span skip_word(struct span s)
{
	size_t i = 0;

	while (i < s.n && s.p[i] != ' ' && s.p[i] != '\t')
		i++;
	return span_skip(s, i);
}

/* One line, with what continues it behind it. */
static void take_line(const struct rows *r, struct span line, unsigned number)
{
	if (r->pattern && (is_word(line, "if") || is_word(line, "endif")))
		return;
	if (r->pattern)
		line = skip_pattern(line);
	r->row(r->arg, span_trim(skip_word(line)), number);
}

static bool is_continued(struct span rest)
{
	return rest.n > 0 && (rest.p[0] == ' ' || rest.p[0] == '\t');
}

static void take_text(const struct rows *r, struct span text)
{
	struct span rest = text, line, more;
	unsigned number = 0, first;

	while (rest.n > 0) {
		span_cut(rest, '\n', &line, &rest);
		first = ++number;
		while (is_continued(rest)) {
			span_cut(rest, '\n', &more, &rest);
			line.n = (size_t)(more.p + more.n - line.p);
			number++;
		}
		line = span_trim(line);
		if (line.n > 0 && line.p[0] != '#')
			take_line(r, line, first);
	}
}

/* NULL, or why not. */
static const char *read_name(const struct mta *m, struct span name,
			     struct buf *text)
{
	char path[2048];

	snprintf(path, sizeof(path), "%s%s%.*s",
		 name.n && name.p[0] == '/' ? "" : m->queue,
		 name.n && name.p[0] == '/' ? "" : "/", (int)name.n, name.p);
	return readfile(path, text, NULL) ? NULL : strerror(errno);
}

static bool take_file(const struct mta *m, const struct rows *r,
		      struct span name, char why[256])
{
	struct buf text = BUF_INIT(TABLE_MAX);
	const char *bad = read_name(m, name, &text);

	if (!bad)
		take_text(r, buf_span(&text));
	else
		snprintf(why, 256, "%s", bad);
	buf_release(&text);
	return bad == NULL;
}

/* { key = answer }, ... */
static void take_inline(const struct rows *r, struct span text)
{
	struct span word, key, answer;

	text = mta_unbrace(text);
	while (mta_word(&text, &word))
		if (span_cut(mta_unbrace(word), '=', &key, &answer))
			r->row(r->arg, span_trim(answer), 0);
}

static bool is_one_of(struct span s, const char *list)
{
	struct span rest = span_of(list), word;

	while (mta_word(&rest, &word))
		if (span_eq_nocase(s, word))
			return true;
	return false;
}

/* "proxy:" only says who looks it up. */
static struct span table_type(struct span spec, struct span *name_r)
{
	struct span type;

	if (span_starts_nocase(spec, SPAN_LIT("proxy:")))
		spec = span_skip(spec, 6);
	span_cut(spec, ':', &type, name_r);
	return type;
}

bool mta_table_is_sql(struct span spec)
{
	struct span name;

	return is_one_of(table_type(spec, &name), "mysql pgsql sqlite ldap");
}

bool mta_table_is_mysql(struct span spec)
{
	struct span name;

	return is_one_of(table_type(spec, &name), "mysql");
}

bool mta_table_mentions(const struct mta *m, struct span spec, const char *text)
{
	struct buf b = BUF_INIT(TABLE_MAX);
	struct span name, all;
	bool found = false;

	(void)table_type(spec, &name);
	if (name.n > 0 && name.p[0] == '/' && !read_name(m, name, &b)) {
		all = buf_span(&b);
		found = memmem(all.p, all.n, text, strlen(text)) != NULL;
	}
	buf_wipe(&b); /* such a file holds a password */
	return found;
}

bool mta_table(const struct mta *m, struct span spec, mta_row *row, void *arg,
	       char why[256])
{
	struct rows r = { row, arg, false };
	struct span type, name;
	struct esc_text e;

	type = table_type(spec, &name);
	r.pattern = is_one_of(type, "regexp pcre");
	if (is_one_of(type, "fail"))
		return true;
	if (is_one_of(type, "static"))
		row(arg, mta_unbrace(name), 0);
	else if (is_one_of(type, "inline"))
		take_inline(&r, name);
	else if (r.pattern ||
		 is_one_of(type, "texthash hash btree lmdb cdb dbm sdbm cidr"))
		return take_file(m, &r, name, why);
	else {
		snprintf(why, 256, "%.100s is not a file", esc_text(&e, type));
		return false;
	}
	return true;
}
