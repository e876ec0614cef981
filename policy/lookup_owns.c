/* policy/lookup_owns.c: see lookup_owns.h. */
#include "policy/lookup_owns.h"

#include <stdlib.h>

#include "policy/expand.h"

/* The aliases on the way to a login. */
struct aliases {
	const struct lookup *l;
	const struct addr *login;
	struct addr item[OWNS_ALIASES_MAX];
	unsigned depth[OWNS_ALIASES_MAX];
	size_t n, at; /* at: the one whose targets are read */
	bool reached;
	bool too_many;
};

static bool is_separator(char c)
{
	return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void put_alias(struct aliases *w, const struct addr *a, unsigned depth)
{
	for (size_t i = 0; i < w->n; i++)
		if (span_eq(addr_span(&w->item[i]), addr_span(a)))
			return;
	if (w->n == OWNS_ALIASES_MAX || depth > OWNS_DEPTH_MAX) {
		w->too_many = true;
		return;
	}
	w->item[w->n] = *a;
	w->depth[w->n++] = depth;
}

static void take_word(struct aliases *w, struct span word)
{
	struct addr a;

	if (addr_parse(word, w->l->j->conf->fold_local_part, &a) != ADDR_OK)
		return;
	if (span_eq(addr_span(&a), addr_span(w->login)))
		w->reached = true;
	else
		put_alias(w, &a, w->depth[w->at] + 1);
}

static bool take_target(void *arg, struct span text)
{
	struct aliases *w = arg;

	while (text.n > 0) {
		size_t n = 0;

		while (n < text.n && !is_separator(text.p[n]))
			n++;
		if (n > 0)
			take_word(w, span_head(text, n));
		text = span_skip(text, n + 1);
	}
	return !w->reached;
}

/* One address of the way. F_NO: go on with the others. */
static enum fact follow_alias(struct lookup *l, struct aliases *w)
{
	enum fact known = lookup_known(l, &w->item[w->at]);
	enum fact found;

	if (known != F_NO)
		return known == F_TEMP ? F_TEMP : F_NO;
	found = lookup_alias(l, addr_span(&w->item[w->at]), take_target, w);
	return w->reached ? F_YES : found == F_TEMP ? F_TEMP : F_NO;
}

/* What has more aliases than are looked at is nobody's own. */
static enum fact leads_to(struct lookup *l, const struct addr *login,
			  const struct addr *a)
{
	struct aliases *w = calloc(1, sizeof(*w));
	enum fact owns = F_NO;

	if (!w)
		return F_TEMP;
	w->l = l;
	w->login = login;
	put_alias(w, a, 0);
	for (; owns == F_NO && w->at < w->n && !w->too_many; w->at++)
		owns = follow_alias(l, w);
	free(w);
	return owns;
}

/* Of an address as it is. */
static enum fact owns_this(struct lookup *l, const struct addr *login,
			   const struct addr *a)
{
	const struct profile *p = l->j->profile;
	enum fact owns;

	if (span_eq(addr_span(login), addr_span(a)))
		return F_YES;
	owns = lookup_sender(l, login, a);
	if (owns == F_NO && (p->query[PQ_SENDER].n == 0 || p->ours))
		owns = leads_to(l, login, a);
	return owns;
}

static bool take_any(void *arg, struct span text)
{
	(void)arg;
	(void)text;
	return false;
}

/* Something of its own, so that mail to it goes no further along the way. */
static enum fact is_there(struct lookup *l, const struct addr *a)
{
	enum fact known = lookup_known(l, a);

	return known != F_NO ? known
			     : lookup_alias(l, addr_span(a), take_any, NULL);
}

/* F_YES: the login's. F_NO: not, and it ends the way. *on_r: the way goes on,
 * F_NO is returned. */
static enum fact owns_step(struct lookup *l, const struct addr *login,
			   const struct addr *a, bool *on_r)
{
	enum fact owns = owns_this(l, login, a);
	enum fact there = owns == F_NO ? is_there(l, a) : F_NO;

	*on_r = owns == F_NO && there == F_NO;
	return there == F_TEMP ? F_TEMP : owns;
}

/* The domain that this one stands for. F_NO: none, or it is not in use. */
static enum fact next_domain(struct lookup *l, struct addr *a)
{
	struct domain_facts d;
	struct span domain;

	lookup_domain(l, addr_domain(a), &d);
	if (d.ours != F_YES)
		return d.ours;
	if (d.active != F_YES || d.alias_of[0] == '\0')
		return d.active == F_TEMP ? F_TEMP : F_NO;
	domain = span_of(d.alias_of);
	if (a->at + 1U + domain.n > ADDR_MAX)
		return F_NO;
	memcpy(a->text + a->at + 1, domain.p, domain.n + 1);
	a->n = (uint16_t)(a->at + 1U + domain.n);
	return F_YES;
}

/* The address, then without its extension. */
static enum fact owns_in_domain(struct lookup *l, const struct addr *login,
				const struct addr *a, bool *on_r)
{
	struct span delimiters = span_of(l->j->conf->recipient_delimiter);
	struct span extension;
	struct addr base;
	enum fact owns = owns_step(l, login, a, on_r);

	if (*on_r && addr_strip_extension(a, delimiters, &base, &extension))
		owns = owns_step(l, login, &base, on_r);
	return owns;
}

static enum fact find_owner(struct lookup *l, const struct addr *login,
			    const struct addr *sender)
{
	struct addr a = *sender;
	enum fact owns, more;
	bool on;

	for (unsigned i = 0; i <= EXPAND_CHAIN_MAX; i++) {
		owns = owns_in_domain(l, login, &a, &on);
		if (!on)
			return owns;
		more = next_domain(l, &a);
		if (more != F_YES)
			return more;
	}
	return F_NO;
}

enum fact lookup_owns(struct lookup *l, const struct addr *login,
		      const struct addr *sender)
{
	struct judge_memory *m = l->j->memory;
	enum fact owns;

	if (span_eq(addr_span(login), addr_span(sender)) ||
	    judge_memory_get_owns(m, login, sender, l->asked))
		return F_YES;
	owns = find_owner(l, login, sender);
	if (owns == F_YES)
		judge_memory_put_owns(m, login, sender, l->asked);
	return owns;
}
