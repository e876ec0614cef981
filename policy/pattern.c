/* policy/pattern.c: see pattern.h. */
#include "policy/pattern.h"

static void put(struct pattern *p, const char *head, struct span tail)
{
	size_t n = strlen(head);

	memcpy(p->text, head, n);
	memcpy(p->text + n, tail.p, tail.n);
	p->n = n + tail.n;
	p->text[p->n] = '\0';
}

static bool parse_domain(struct span domain, const char *head,
			 struct pattern *p)
{
	char canonical[ADDR_DOMAIN_MAX + 1];
	size_t n;

	if (addr_domain_parse(domain, canonical, &n) != ADDR_OK ||
	    (head[1] && canonical[0] == '['))
		return false;
	put(p, head, span_make(canonical, n));
	return true;
}

/* The local part of an address in whatever domain. */
static bool parse_local(struct span text, bool fold, struct pattern *p)
{
	const struct span domain = SPAN_LIT("x");
	char room[PATTERN_MAX + 1];
	struct addr a;

	if (text.n > PATTERN_MAX)
		return false;
	memcpy(room, text.p, text.n);
	memcpy(room + text.n, domain.p, domain.n);
	if (addr_parse(span_make(room, text.n + domain.n), fold, &a) != ADDR_OK)
		return false;
	put(p, "", span_head(addr_span(&a), a.at + 1U));
	return true;
}

static bool parse_address(struct span text, bool fold, struct pattern *p)
{
	struct addr a;

	if (addr_parse(text, fold, &a) != ADDR_OK)
		return false;
	put(p, "", addr_span(&a));
	return true;
}

static bool parse_fixed(const char *text, struct pattern *p)
{
	put(p, text, SPAN_EMPTY);
	return true;
}

static enum pattern_form form_of(struct span text)
{
	if (span_is(text, "*"))
		return PATTERN_ANY;
	if (span_is(text, "@*"))
		return PATTERN_ANY_DOMAIN;
	if (span_is(text, "<>"))
		return PATTERN_NULL;
	if (text.n > 1 && text.p[0] == '@')
		return text.p[1] == '.' ? PATTERN_SUBDOMAINS : PATTERN_DOMAIN;
	if (text.n > 1 && text.p[text.n - 1] == '@')
		return PATTERN_LOCAL;
	return PATTERN_ADDRESS;
}

bool pattern_parse(struct span text, unsigned forms, bool fold_local,
		   struct pattern *p_r)
{
	p_r->form = form_of(text);
	if (!(forms & (unsigned)p_r->form))
		return false;
	switch (p_r->form) {
	case PATTERN_ANY:
		return parse_fixed("*", p_r);
	case PATTERN_ANY_DOMAIN:
		return parse_fixed("@*", p_r);
	case PATTERN_NULL:
		return parse_fixed("<>", p_r);
	case PATTERN_SUBDOMAINS:
		return parse_domain(span_skip(text, 2), "@.", p_r);
	case PATTERN_DOMAIN:
		return parse_domain(span_skip(text, 1), "@", p_r);
	case PATTERN_LOCAL:
		return parse_local(text, fold_local, p_r);
	case PATTERN_ADDRESS:
		break;
	}
	return parse_address(text, fold_local, p_r);
}

void pattern_begin(struct pattern_walk *w, const struct addr *a, unsigned forms)
{
	const unsigned of_null = PATTERN_NULL | PATTERN_ANY;

	*w = (struct pattern_walk){
		.a = a,
		.forms = forms & (a->n ? ~(unsigned)PATTERN_NULL : of_null),
		.step = PATTERN_ADDRESS,
		.dot = a->at,
	};
}

/* The next sub-domain pattern, one label less each time. */
static bool next_parent(struct pattern_walk *w, struct span *key_r)
{
	struct span text = addr_span(w->a), rest;

	do
		w->dot++;
	while (w->dot < text.n && text.p[w->dot] != '.');
	rest = span_skip(text, w->dot);
	if (rest.n == 0)
		return false;
	w->room[0] = '@';
	memcpy(w->room + 1, rest.p, rest.n);
	*key_r = span_make(w->room, 1 + rest.n);
	return true;
}

static struct span key_of(const struct pattern_walk *w)
{
	switch ((enum pattern_form)w->step) {
	case PATTERN_ADDRESS:
		return addr_span(w->a);
	case PATTERN_LOCAL:
		return span_head(addr_span(w->a), w->a->at + 1U);
	case PATTERN_DOMAIN:
		return span_skip(addr_span(w->a), w->a->at);
	case PATTERN_NULL:
		return SPAN_LIT("<>");
	case PATTERN_ANY:
	case PATTERN_SUBDOMAINS:
	case PATTERN_ANY_DOMAIN:
		break;
	}
	return SPAN_LIT("*");
}

bool pattern_next(struct pattern_walk *w, struct span *key_r)
{
	while (w->step <= PATTERN_ANY) {
		unsigned step = w->step;

		if (!(w->forms & step)) {
			w->step <<= 1;
		} else if (step == PATTERN_SUBDOMAINS) {
			if (next_parent(w, key_r))
				return true;
			w->step <<= 1;
		} else {
			*key_r = key_of(w);
			w->step <<= 1;
			return true;
		}
	}
	return false;
}

static bool word_has(struct span word, struct span domain)
{
	if (word.p[0] != '.')
		return span_eq(word, domain);
	return domain.n > word.n &&
	       span_eq(span_skip(domain, domain.n - word.n), word);
}

bool pattern_list_has(struct span list, struct span domain)
{
	struct span word;

	while ((word = span_next_word(&list)).n > 0)
		if (word_has(word, domain))
			return true;
	return false;
}

bool pattern_list_check(struct span list, struct span *bad_r)
{
	char canonical[ADDR_DOMAIN_MAX + 1];
	struct span word;
	size_t n;

	while ((word = span_next_word(&list)).n > 0) {
		struct span domain =
			word.p[0] == '.' ? span_skip(word, 1) : word;

		if (addr_domain_parse(domain, canonical, &n) == ADDR_OK &&
		    span_eq(domain, span_make(canonical, n)))
			continue;
		*bad_r = word;
		return false;
	}
	return true;
}
