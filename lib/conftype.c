/* lib/conftype.c: see conftype.h. One row a type at the end of this file. */
#include "lib/conftype.h"

#include <stdlib.h>

static char *dup_span(struct span s)
{
	char *p = malloc(s.n + 1);

	if (p) {
		memcpy(p, s.p, s.n);
		p[s.n] = '\0';
	}
	return p;
}

static enum conf_status parse_text(const struct conf_option *o,
				   struct span text, union conf_value *v_r,
				   struct span *bad_r)
{
	(void)o;
	(void)bad_r;
	v_r->text = dup_span(text);
	return v_r->text ? CONF_OK : CONF_MEMORY;
}

static enum conf_status parse_path(const struct conf_option *o,
				   struct span text, union conf_value *v_r,
				   struct span *bad_r)
{
	bool none = text.n == 0 && o->def[0] == '\0';

	if (!none && (text.n == 0 || text.p[0] != '/'))
		return CONF_BAD;
	return parse_text(o, text, v_r, bad_r);
}

static enum conf_status parse_enum(const struct conf_option *o,
				   struct span text, union conf_value *v_r,
				   struct span *bad_r)
{
	struct span word, words = span_of(o->words);

	while (words.n) {
		(void)span_cut(words, '|', &word, &words);
		if (span_eq(word, text))
			return parse_text(o, text, v_r, bad_r);
	}
	return CONF_BAD;
}

static void put_text(const union conf_value *v, struct buf *out)
{
	buf_puts(out, v->text);
}

static void release_text(union conf_value *v)
{
	free(v->text);
}

static enum conf_status parse_bool(const struct conf_option *o,
				   struct span text, union conf_value *v_r,
				   struct span *bad_r)
{
	(void)o;
	(void)bad_r;
	v_r->yes = span_is(text, "yes");
	return v_r->yes || span_is(text, "no") ? CONF_OK : CONF_BAD;
}

static void put_bool(const union conf_value *v, struct buf *out)
{
	buf_puts(out, v->yes ? "yes" : "no");
}

/* Largest first; the last is 1. */
struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit plain_units[] = { { "", 1 } };
static const struct unit size_units[] = {
	{ "G", 1024 * 1024 * 1024 },
	{ "M", 1024 * 1024 },
	{ "K", 1024 },
	{ "", 1 },
};
static const struct unit time_units[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 },
	{ "s", 1000 },     { "ms", 1 },
};

static const struct unit *find_unit(const struct unit *u, struct span suffix)
{
	while (!span_is(suffix, u->suffix)) {
		if (u->factor == 1)
			return NULL;
		u++;
	}
	return u;
}

static enum conf_status parse_number(const struct conf_option *o,
				     const struct unit *units, struct span text,
				     uint64_t *v_r)
{
	const struct unit *u;
	size_t digits = 0;

	while (digits < text.n && text.p[digits] >= '0' &&
	       text.p[digits] <= '9')
		digits++;
	u = find_unit(units, span_skip(text, digits));
	if (!u || digits == 0)
		return CONF_BAD;
	if (!span_u64(span_head(text, digits), v_r) ||
	    __builtin_mul_overflow(*v_r, u->factor, v_r) || *v_r < o->min ||
	    *v_r > o->max)
		return CONF_RANGE;
	return CONF_OK;
}

/* With the largest unit that leaves nothing over. */
static void put_number(uint64_t v, const struct unit *units, struct buf *out)
{
	while (v % units->factor)
		units++;
	buf_put_u64(out, v / units->factor);
	buf_puts(out, units->suffix);
}

static enum conf_status parse_uint(const struct conf_option *o,
				   struct span text, union conf_value *v_r,
				   struct span *bad_r)
{
	(void)bad_r;
	return parse_number(o, plain_units, text, &v_r->number);
}

static void put_uint(const union conf_value *v, struct buf *out)
{
	put_number(v->number, plain_units, out);
}

static enum conf_status parse_size(const struct conf_option *o,
				   struct span text, union conf_value *v_r,
				   struct span *bad_r)
{
	(void)bad_r;
	return parse_number(o, size_units, text, &v_r->number);
}

static void put_size(const union conf_value *v, struct buf *out)
{
	if (v->number == 0)
		buf_putc(out, '0');
	else
		put_number(v->number, size_units, out);
}

static enum conf_status parse_time(const struct conf_option *o,
				   struct span text, union conf_value *v_r,
				   struct span *bad_r)
{
	uint64_t v;
	enum conf_status st = parse_number(o, time_units, text, &v);

	(void)bad_r;
	if (st == CONF_OK)
		v_r->ms = (int64_t)v;
	return st;
}

static void put_time(const union conf_value *v, struct buf *out)
{
	if (v->ms == 0)
		buf_puts(out, "0s");
	else
		put_number((uint64_t)v->ms, time_units, out);
}

static bool is_separator(char c)
{
	return c == ' ' || c == '\t' || c == ',';
}

static bool next_word(struct span *rest, struct span *word_r)
{
	size_t n = 0;

	while (rest->n && is_separator(rest->p[0]))
		*rest = span_skip(*rest, 1);
	while (n < rest->n && !is_separator(rest->p[n]))
		n++;
	*word_r = span_head(*rest, n);
	*rest = span_skip(*rest, n);
	return n > 0;
}

static size_t count_words(struct span text)
{
	struct span word;
	size_t n = 0;

	while (next_word(&text, &word))
		n++;
	return n;
}

/* One block: the pointers with a NULL behind them, then the words. */
static enum conf_status parse_list(const struct conf_option *o,
				   struct span text, union conf_value *v_r,
				   struct span *bad_r)
{
	size_t n = count_words(text);
	char **word = malloc((n + 1) * sizeof(*word) + text.n + 1);
	struct span w, rest = text;
	char *to;

	(void)o;
	(void)bad_r;
	if (!word)
		return CONF_MEMORY;
	to = (char *)(word + n + 1);
	v_r->list = (struct conf_list){ .word = word, .n = n };
	while (next_word(&rest, &w)) {
		*word++ = to;
		memcpy(to, w.p, w.n);
		to[w.n] = '\0';
		to += w.n + 1;
	}
	*word = NULL;
	return CONF_OK;
}

static void put_list(const union conf_value *v, struct buf *out)
{
	for (size_t i = 0; i < v->list.n; i++) {
		if (i)
			buf_putc(out, ' ');
		buf_puts(out, v->list.word[i]);
	}
}

static void release_list(union conf_value *v)
{
	free(v->list.word);
}

static enum conf_status parse_networks(const struct conf_option *o,
				       struct span text, union conf_value *v_r,
				       struct span *bad_r)
{
	struct network_set set = { .n = 0 };
	struct span word;

	(void)o;
	set.net = calloc(count_words(text) + 1, sizeof(*set.net));
	if (!set.net)
		return CONF_MEMORY;
	while (next_word(&text, &word)) {
		if (!network_parse(word, &set.net[set.n++])) {
			*bad_r = word;
			free(set.net);
			return CONF_BAD;
		}
	}
	v_r->networks = set;
	return CONF_OK;
}

static void put_networks(const union conf_value *v, struct buf *out)
{
	for (size_t i = 0; i < v->networks.n; i++) {
		if (i)
			buf_putc(out, ' ');
		network_put(out, &v->networks.net[i]);
	}
}

static void release_networks(union conf_value *v)
{
	free(v->networks.net);
}

static const struct type {
	enum conf_status (*parse)(const struct conf_option *o, struct span text,
				  union conf_value *v_r, struct span *bad_r);
	void (*put)(const union conf_value *v, struct buf *out);
	void (*release)(union conf_value *v);
	size_t size;
	const char *name;
	const char *allowed;
} types[] = {
	[CONF_STRING] = { parse_text, put_text, release_text, sizeof(char *),
			  "text", NULL },
	[CONF_PATH] = { parse_path, put_text, release_text, sizeof(char *),
			"an absolute path", "a path that begins with /" },
	[CONF_LIST] = { parse_list, put_list, release_list,
			sizeof(struct conf_list), "a list of words",
			"words, split at blanks and commas" },
	[CONF_ENUM] = { parse_enum, put_text, release_text, sizeof(char *),
			"one of its words", NULL },
	[CONF_BOOL] = { parse_bool, put_bool, NULL, sizeof(bool), "yes or no",
			"yes or no" },
	[CONF_UINT] = { parse_uint, put_uint, NULL, sizeof(uint64_t),
			"a number", NULL },
	[CONF_SIZE] = { parse_size, put_size, NULL, sizeof(uint64_t),
			"a number of octets (suffix K, M or G)", NULL },
	[CONF_TIME] = { parse_time, put_time, NULL, sizeof(int64_t),
			"a time with its unit (ms, s, m, h or d)", NULL },
	[CONF_NETWORKS] = { parse_networks, put_networks, release_networks,
			    sizeof(struct network_set), "an address or network",
			    "192.0.2.1, 192.0.2.0/24, 2001:db8::/32 ... with "
			    "no bit set behind the prefix" },
};

enum conf_status conftype_parse(const struct conf_option *o, struct span text,
				union conf_value *v_r, struct span *bad_r)
{
	*bad_r = text;
	return types[o->type].parse(o, text, v_r, bad_r);
}

void conftype_put(const struct conf_option *o, const union conf_value *v,
		  struct buf *out)
{
	types[o->type].put(v, out);
}

void conftype_release(const struct conf_option *o, union conf_value *v)
{
	if (types[o->type].release)
		types[o->type].release(v);
}

size_t conftype_size(const struct conf_option *o)
{
	return types[o->type].size;
}

const char *conftype_name(const struct conf_option *o)
{
	return types[o->type].name;
}

static void put_words(const char *words, struct buf *out)
{
	struct span word, rest = span_of(words);
	bool more = span_cut(rest, '|', &word, &rest);

	buf_put_span(out, word);
	while (more) {
		more = span_cut(rest, '|', &word, &rest);
		buf_puts(out, more ? ", " : " or ");
		buf_put_span(out, word);
	}
}

static void put_bound(const struct conf_option *o, uint64_t bound,
		      struct buf *out)
{
	union conf_value v;

	if (o->type == CONF_TIME)
		v.ms = (int64_t)bound;
	else
		v.number = bound;
	conftype_put(o, &v, out);
}

bool conftype_put_allowed(const struct conf_option *o, struct buf *out)
{
	if (o->words) {
		put_words(o->words, out);
	} else if (types[o->type].allowed) {
		buf_puts(out, types[o->type].allowed);
	} else if (o->max) {
		put_bound(o, o->min, out);
		buf_puts(out, " to ");
		put_bound(o, o->max, out);
	} else {
		return false;
	}
	return true;
}
