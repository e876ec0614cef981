/* tests/unit/world.c: see world.h. */
#include "tests/unit/world.h"

#include <stdlib.h>

static bool take_word(struct span *s, struct span *word_r)
{
	*s = span_trim(*s);
	(void)span_cut(*s, ' ', word_r, s);
	return word_r->n > 0;
}

static bool read_domain(struct world_row *r, struct span rest)
{
	struct span word;

	while (take_word(&rest, &word)) {
		if (span_is(word, "=") && take_word(&rest, &word))
			r->text = word;
		else if (span_is(word, "off"))
			r->active = F_NO;
		else if (span_is(word, "dim"))
			r->active = F_TEMP;
		else if (span_is(word, "temp"))
			r->there = F_TEMP;
		else if (span_is(word, "foreign"))
			r->there = F_NO;
		else
			return false;
	}
	return true;
}

static bool read_row(struct world_row *r, struct span line)
{
	struct span what, word, rest;

	*r = (struct world_row){ .text = SPAN_EMPTY,
				 .there = F_YES,
				 .active = F_YES };
	if (!take_word(&line, &what) || !take_word(&line, &r->key))
		return false;
	if (span_is(what, "domain")) {
		r->kind = WORLD_DOMAIN;
		return read_domain(r, line);
	}
	rest = line;
	if (take_word(&rest, &word) && span_is(word, "temp")) {
		r->there = F_TEMP;
		line = rest;
	}
	r->kind = span_is(what, "alias") ? WORLD_ALIAS : WORLD_MAILBOX;
	r->text = line;
	return r->kind == WORLD_ALIAS ||
	       (span_is(what, "mailbox") && span_trim(line).n == 0);
}

bool world_read(struct world *w, const char *text)
{
	struct span line, rest = span_of(text);

	w->n = 0;
	while (rest.n > 0) {
		(void)span_cut(rest, '\n', &line, &rest);
		if (span_trim(line).n == 0)
			continue;
		if (w->n == WORLD_ROWS || !read_row(&w->row[w->n++], line))
			return false;
	}
	return true;
}

/* The next row of that kind and key; NULL: no more. */
static const struct world_row *find(const struct world *w, size_t *at,
				    enum world_kind kind, struct span key)
{
	for (; *at < w->n; ++*at)
		if (w->row[*at].kind == kind && span_eq(w->row[*at].key, key))
			return &w->row[(*at)++];
	return NULL;
}

struct world_row world_domain(const struct world *w, struct span name)
{
	size_t at = 0;
	const struct world_row *r = find(w, &at, WORLD_DOMAIN, name);

	return r ? *r
		 : (struct world_row){ .text = SPAN_EMPTY,
				       .there = F_NO,
				       .active = F_NO };
}

/* F_TEMP where one of the rows is. */
static enum fact known(const struct world *w, enum world_kind kind,
		       struct span key)
{
	enum fact f = F_NO;
	const struct world_row *r;
	size_t at = 0;

	while ((r = find(w, &at, kind, key)) != NULL)
		f = f == F_TEMP ? f : r->there;
	return f;
}

enum fact world_alias(const struct world *w, struct span key)
{
	return known(w, WORLD_ALIAS, key);
}

enum fact world_mailbox(const struct world *w, struct span address)
{
	return known(w, WORLD_MAILBOX, address);
}

/* What was read before the database went away is told as well. */
static void answer_alias(const struct world *w, struct expand *e, bool temp)
{
	struct span key = expand_key(e);
	enum fact f = temp ? F_TEMP : world_alias(w, key);
	const struct world_row *r;
	size_t at = 0;

	while ((r = find(w, &at, WORLD_ALIAS, key)) != NULL)
		expand_tell_target(e, r->text);
	expand_tell_alias(e, f);
}

static void answer_domain(const struct world *w, struct expand *e, bool temp)
{
	struct world_row r = world_domain(w, expand_key(e));

	expand_tell_domain(e, temp ? F_TEMP : r.there, r.active, r.text);
}

static void answer_mailbox(const struct world *w, struct world_walk *k,
			   bool temp)
{
	struct span key = expand_key(k->e);
	enum fact f = temp ? F_TEMP : world_mailbox(w, key);
	size_t i = k->mailboxes++;

	if (i >= WORLD_ANSWERS || key.n > ADDR_MAX)
		abort();
	memcpy(k->answer[i].key.text, key.p, key.n);
	k->answer[i].key.n = (uint16_t)key.n;
	k->answer[i].known = f;
	expand_tell_mailbox(k->e, f);
}

bool world_answer(const struct world *w, struct world_walk *k)
{
	bool temp = k->questions == k->temp_at;

	switch (k->end = expand_step(k->e)) {
	case EXPAND_ASK_DOMAIN:
		answer_domain(w, k->e, temp);
		break;
	case EXPAND_ASK_ALIAS:
		answer_alias(w, k->e, temp);
		break;
	case EXPAND_ASK_MAILBOX:
		answer_mailbox(w, k, temp);
		break;
	case EXPAND_DONE:
	case EXPAND_TEMP:
	case EXPAND_TOO_FAR:
	case EXPAND_NO_MEMORY:
		return false;
	}
	k->questions++;
	return true;
}

bool world_begin(const struct world *w, const struct addr *rcpt,
		 struct world_walk *k)
{
	k->questions = 0;
	k->mailboxes = 0;
	k->end = EXPAND_NO_MEMORY;
	k->e = expand_new(rcpt, w->delimiters, w->fold);
	return k->e != NULL;
}

void world_walk(const struct world *w, const struct addr *rcpt,
		struct world_walk *k)
{
	if (world_begin(w, rcpt, k))
		while (world_answer(w, k))
			;
}
