/* lib/conf.c: text to configuration. Mistakes are collected, never fatal: an
 * administrator shall see all of them at once. */
#include "lib/conf.h"

#include <stdlib.h>

#include "lib/conftype.h"
#include "lib/esc.h"

enum {
	KEY_MAX = 32,  /* of conf.def; the unit test holds it to it */
	SHOWN_MAX = 60 /* octets of a bad value in a message */
};

#define BOUNDS_STRING(lo, hi)   .min = lo, .max = hi
#define BOUNDS_PATH(lo, hi)     .min = lo, .max = hi
#define BOUNDS_LIST(lo, hi)     .min = lo, .max = hi
#define BOUNDS_ENUM(lo, hi)     .words = lo, .max = hi
#define BOUNDS_BOOL(lo, hi)     .min = lo, .max = hi
#define BOUNDS_UINT(lo, hi)     .min = lo, .max = hi
#define BOUNDS_SIZE(lo, hi)     .min = lo, .max = hi
#define BOUNDS_TIME(lo, hi)     .min = lo, .max = hi
#define BOUNDS_NETWORKS(lo, hi) .min = lo, .max = hi

/* clang-format off */
const struct conf_option conf_options[CONF_ROWS] = {
#define CONF_SECTION(title) { .help = title },
#define CONF(progs, kind, name, preset, lo, hi, when, text)	\
	{ .key = #name, .programs = progs, .type = CONF_##kind,	\
	  .offset = offsetof(struct conf, name), .def = preset,	\
	  BOUNDS_##kind(lo, hi), .flags = when, .help = text },
#include "lib/conf.def"
#undef CONF
#undef CONF_SECTION
};
/* clang-format on */

struct parser {
	struct conf *c;
	struct buf *problems;
	bool failed;

	/* of the source in work */
	size_t file;
	size_t seen[CONF_ROWS]; /* line, 0 for not yet */
	size_t line;

	/* of the entry in work: a line and those that continue it */
	enum { ENTRY_NONE, ENTRY_OPEN, ENTRY_BAD } state;
	size_t entry_line;
	struct buf entry;
};

static void complain_begin(struct parser *p, size_t line)
{
	p->failed = true;
	buf_printf(p->problems, "%s:%zu: ", p->c->priv->file[p->file], line);
}

static void complain(struct parser *p, size_t line, const char *what)
{
	complain_begin(p, line);
	buf_puts(p->problems, what);
	buf_putc(p->problems, '\n');
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edits (insert, drop, change an octet) from a to b; Levenshtein. */
static size_t distance(struct span a, struct span b)
{
	size_t row[KEY_MAX + 1];
	size_t diagonal, above;

	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			above = row[j];
			row[j] =
				min_size(min_size(above, row[j - 1]) + 1,
					 diagonal + (a.p[i - 1] != b.p[j - 1]));
			diagonal = above;
		}
	}
	return row[b.n];
}

static const char *closest_key(struct span key)
{
	const char *best = NULL;
	size_t best_distance = 1 + key.n / 4;

	if (key.n > KEY_MAX)
		return NULL;
	for (size_t i = 0; i < CONF_ROWS; i++) {
		struct span known = span_of(conf_options[i].key);
		size_t d = distance(key, span_head(known, KEY_MAX));

		if (known.n && d <= best_distance &&
		    (!best || d < best_distance)) {
			best = conf_options[i].key;
			best_distance = d;
		}
	}
	return best;
}

static void complain_unknown(struct parser *p, struct span key)
{
	const char *guess = closest_key(key);

	complain_begin(p, p->entry_line);
	buf_puts(p->problems, "unknown option '");
	esc_put(p->problems, key, SHOWN_MAX);
	if (guess)
		buf_printf(p->problems, "'; did you mean '%s'?\n", guess);
	else
		buf_puts(p->problems, "'; mailrow.conf(5) lists all\n");
}

static void complain_value(struct parser *p, const struct conf_option *o,
			   enum conf_status st, struct span bad)
{
	complain_begin(p, p->entry_line);
	buf_printf(p->problems, "%s: '", o->key);
	esc_put(p->problems, bad, SHOWN_MAX);
	if (st == CONF_RANGE)
		buf_puts(p->problems, "' is out of range; allowed: ");
	else
		buf_printf(p->problems,
			   "' is not %s; allowed: ", conftype_name(o));
	(void)conftype_put_allowed(o, p->problems); /* may say nothing */
	buf_putc(p->problems, '\n');
}

static void *field_of(struct conf *c, const struct conf_option *o)
{
	return (char *)c + o->offset;
}

static void release_field(struct conf *c, const struct conf_option *o)
{
	union conf_value v = { .number = 0 };

	memcpy(&v, field_of(c, o), conftype_size(o));
	conftype_release(o, &v);
}

static void set_option(struct parser *p, size_t row, struct span text)
{
	const struct conf_option *o = &conf_options[row];
	union conf_value v;
	struct span bad;
	enum conf_status st = conftype_parse(o, text, &v, &bad);

	if (st == CONF_MEMORY) {
		p->problems->failed = true;
	} else if (st != CONF_OK) {
		complain_value(p, o, st, bad);
	} else {
		release_field(p->c, o);
		memcpy(field_of(p->c, o), &v, conftype_size(o));
		p->c->priv->origin[row] =
			(struct conf_origin){ p->file, p->entry_line };
	}
}

/* CONF_ROWS when there is none. */
static size_t find_row(struct span key)
{
	size_t i = 0;

	while (i < CONF_ROWS &&
	       (!conf_options[i].key || !span_is(key, conf_options[i].key)))
		i++;
	return i;
}

static void entry_apply(struct parser *p)
{
	struct span key, value;
	size_t row;

	if (!span_cut(buf_span(&p->entry), '=', &key, &value)) {
		complain(p, p->entry_line,
			 "no '='; allowed: key = value, # comment, and a "
			 "leading blank to continue a value");
		return;
	}
	key = span_trim(key);
	row = find_row(key);
	if (row == CONF_ROWS) {
		complain_unknown(p, key);
	} else if (p->seen[row]) {
		complain_begin(p, p->entry_line);
		buf_printf(p->problems,
			   "%s is set again; allowed: once a file, and line "
			   "%zu has it\n",
			   conf_options[row].key, p->seen[row]);
	} else {
		p->seen[row] = p->entry_line;
		set_option(p, row, span_trim(value));
	}
}

static void entry_end(struct parser *p)
{
	if (!buf_ok(&p->entry))
		p->problems->failed = true;
	else if (p->state == ENTRY_OPEN)
		entry_apply(p);
	p->state = ENTRY_NONE;
}

static bool has_control(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

static void entry_add(struct parser *p, struct span text)
{
	const char *wrong = NULL;

	if (p->state == ENTRY_BAD)
		return; /* one mistake, one line */
	if (span_find(text, '\0') < text.n)
		wrong = "NUL octet; allowed: text in UTF-8";
	else if (has_control(text))
		wrong = "control character; allowed: text in UTF-8";
	else if (!span_is_utf8(text))
		wrong = "not valid UTF-8; allowed: text in UTF-8";
	if (wrong) {
		complain(p, p->line, wrong);
		p->state = ENTRY_BAD;
		return;
	}
	if (p->entry.n)
		buf_putc(&p->entry, ' ');
	buf_put_span(&p->entry, text);
}

static void entry_begin(struct parser *p, struct span text)
{
	entry_end(p);
	buf_reset(&p->entry);
	p->entry_line = p->line;
	p->state = ENTRY_OPEN;
	entry_add(p, text);
}

static void entry_continue(struct parser *p, struct span text)
{
	if (p->state == ENTRY_NONE) {
		complain(p, p->line,
			 "a leading blank, but no value to continue; allowed: "
			 "an option at the beginning of its line");
		p->state = ENTRY_BAD;
	}
	entry_add(p, text);
}

/* A comment does not end a value, so that one line of a long list can be
 * commented out; an empty line does. */
static void take_line(struct parser *p, struct span line)
{
	struct span text = span_trim(line);

	p->line++;
	if (text.n == 0)
		entry_end(p);
	else if (text.p[0] == '#')
		return;
	else if (text.p == line.p)
		entry_begin(p, text);
	else
		entry_continue(p, text);
}

static void take_source(struct parser *p, size_t file, struct span text)
{
	struct span line;

	p->file = file;
	p->line = 0;
	memset(p->seen, 0, sizeof(p->seen));
	buf_init(&p->entry, text.n); /* a joined value is no longer */
	while (text.n) {
		(void)span_cut(text, '\n', &line, &text);
		take_line(p, line);
	}
	entry_end(p);
	buf_release(&p->entry);
}

/* file[n] is what messages about the built-in defaults call them. */
static struct conf *conf_new(const struct conf_source *src, size_t n)
{
	struct conf *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->priv = calloc(1, sizeof(*c->priv));
	if (!c->priv)
		goto fail;
	atomic_init(&c->priv->refs, 1);
	c->priv->file = calloc(n + 1, sizeof(*c->priv->file));
	if (!c->priv->file)
		goto fail;
	for (; c->priv->files <= n; c->priv->files++) {
		size_t i = c->priv->files;

		c->priv->file[i] = strdup(i < n ? src[i].file : "built in");
		if (!c->priv->file[i])
			goto fail;
	}
	return c;
fail:
	conf_unref(&c);
	return NULL;
}

static void take_defaults(struct parser *p, size_t file)
{
	p->file = file;
	p->entry_line = 0;
	for (size_t i = 0; i < CONF_ROWS; i++) {
		if (conf_options[i].key)
			set_option(p, i, span_of(conf_options[i].def));
	}
}

struct conf *conf_parse(const struct conf_source *src, size_t n,
			struct buf *problems)
{
	struct parser p = { .c = conf_new(src, n), .problems = problems };

	if (!p.c) {
		problems->failed = true;
		return NULL;
	}
	take_defaults(&p, n);
	for (size_t i = 0; i < n; i++)
		take_source(&p, i, src[i].text);
	if (p.failed || !buf_ok(problems))
		conf_unref(&p.c);
	return p.c;
}

struct conf *conf_ref(struct conf *c)
{
	atomic_fetch_add(&c->priv->refs, 1);
	return c;
}

static void conf_free(struct conf *c)
{
	for (size_t i = 0; i < CONF_ROWS; i++) {
		if (conf_options[i].key)
			release_field(c, &conf_options[i]);
	}
	for (size_t i = 0; c->priv && i < c->priv->files; i++)
		free(c->priv->file[i]);
	if (c->priv)
		free(c->priv->file);
	free(c->priv);
	free(c);
}

void conf_unref(struct conf **cp)
{
	struct conf *c = *cp;

	*cp = NULL;
	if (c && (!c->priv || atomic_fetch_sub(&c->priv->refs, 1) == 1))
		conf_free(c);
}

bool conf_list_has(const struct conf_list *l, struct span word)
{
	for (size_t i = 0; i < l->n; i++) {
		if (span_eq_nocase(word, span_of(l->word[i])))
			return true;
	}
	return false;
}
