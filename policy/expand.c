/* policy/expand.c: see expand.h. Addresses are followed in the order in which
 * they are found. What is looked up for one of them is a way through the
 * phases below; each answer moves on to the next. */
#include "policy/expand.h"

#include <stdlib.h>

#include "lib/array.h"

enum { DELIMITERS_MAX = 32 };

enum phase {
	PH_DOMAIN,     /* the domain of asked */
	PH_ALIAS,      /* of asked */
	PH_MAILBOX,    /* of asked */
	PH_BASE_ALIAS, /* the same of base */
	PH_BASE_MAILBOX,
	PH_SELF,     /* the mailbox of an alias that names itself */
	PH_CATCHALL, /* of chain[catchall] */
	PH_END
};

/* An address that is followed. */
struct item {
	struct addr addr;
	unsigned depth;
};

/* A domain on the way from alias domain to the domain it stands for. */
struct link {
	char name[ADDR_DOMAIN_MAX + 1];
	size_t n;
};

struct expand {
	char delimiters[DELIMITERS_MAX + 1];
	bool fold;
	enum expand_step end; /* EXPAND_DONE as long as nothing went wrong */
	enum phase phase;
	struct item *item;
	size_t nitem, item_size, at; /* at: the one that is followed now */
	struct expand_target *target;
	size_t ntarget, target_size;
	size_t answers; /* expand_tell_mailbox() so far */

	/* of the address that is followed now */
	struct addr asked; /* in the domain that is looked at now */
	struct addr base;
	bool has_base;
	char extension[ADDR_LOCAL_MAX + 1];
	bool self;                               /* the alias names itself */
	struct link chain[EXPAND_CHAIN_MAX + 1]; /* and the next one */
	size_t nchain, catchall;
	char key[ADDR_DOMAIN_MAX + 2]; /* "@domain" */
	size_t key_n;
};

static void stop(struct expand *e, enum expand_step why)
{
	e->end = why;
	e->phase = PH_END;
}

static void put_target(struct expand *e, enum expand_kind kind,
		       const struct addr *a, size_t answer)
{
	struct expand_target *t;

	for (size_t i = 0; i < e->ntarget; i++)
		if (e->target[i].kind == kind &&
		    span_eq(addr_span(&e->target[i].address), addr_span(a)))
			return;
	t = array_grow(e->target, e->ntarget, &e->target_size, sizeof(*t));
	if (!t) {
		stop(e, EXPAND_NO_MEMORY);
		return;
	}
	e->target = t;
	t[e->ntarget++] = (struct expand_target){ .kind = kind,
						  .address = *a,
						  .answer = answer };
}

static void follow(struct expand *e, const struct addr *a, unsigned depth)
{
	struct item *item;

	for (size_t i = 0; i < e->nitem; i++)
		if (span_eq(addr_span(&e->item[i].addr), addr_span(a)))
			return;
	if (depth > EXPAND_DEPTH_MAX || e->nitem > EXPAND_TARGETS_MAX) {
		stop(e, EXPAND_TOO_FAR);
		return;
	}
	item = array_grow(e->item, e->nitem, &e->item_size, sizeof(*item));
	if (!item) {
		stop(e, EXPAND_NO_MEMORY);
		return;
	}
	e->item = item;
	item[e->nitem++] = (struct item){ .addr = *a, .depth = depth };
}

/* asked is set; its domain is the chain's next link. */
static void look_at_domain(struct expand *e)
{
	struct span domain = addr_domain(&e->asked);
	struct link *l = &e->chain[e->nchain++];
	struct span extension = SPAN_EMPTY;

	memcpy(l->name, domain.p, domain.n);
	l->n = domain.n;
	e->has_base = addr_strip_extension(&e->asked, span_of(e->delimiters),
					   &e->base, &extension);
	memcpy(e->extension, extension.p, extension.n);
	e->extension[extension.n] = '\0';
	e->phase = PH_DOMAIN;
}

static void begin_item(struct expand *e)
{
	e->nchain = 0;
	e->self = false;
	e->asked = e->item[e->at].addr;
	look_at_domain(e);
}

/* A circle that leads nowhere has no end to deliver to. */
static void next_item(struct expand *e)
{
	if (e->phase == PH_END)
		return;
	if (++e->at < e->nitem)
		begin_item(e);
	else
		stop(e, e->ntarget > 0 ? EXPAND_DONE : EXPAND_TOO_FAR);
}

struct expand *expand_new(const struct addr *rcpt, const char *delimiters,
			  bool fold)
{
	struct expand *e = calloc(1, sizeof(*e));
	struct span d = span_head(span_of(delimiters), DELIMITERS_MAX);

	if (!e)
		return NULL;
	memcpy(e->delimiters, d.p, d.n);
	e->fold = fold;
	e->end = EXPAND_DONE;
	follow(e, rcpt, 0);
	if (e->end == EXPAND_NO_MEMORY)
		expand_free(&e);
	else
		begin_item(e);
	return e;
}

void expand_free(struct expand **e)
{
	if (!*e)
		return;
	free((*e)->item);
	free((*e)->target);
	free(*e);
	*e = NULL;
}

enum expand_step expand_step(const struct expand *e)
{
	switch (e->phase) {
	case PH_DOMAIN:
		return EXPAND_ASK_DOMAIN;
	case PH_ALIAS:
	case PH_BASE_ALIAS:
	case PH_CATCHALL:
		return EXPAND_ASK_ALIAS;
	case PH_MAILBOX:
	case PH_BASE_MAILBOX:
	case PH_SELF:
		return EXPAND_ASK_MAILBOX;
	case PH_END:
		break;
	}
	return e->end;
}

/* An alias that named itself was found for what asked is then. */
struct span expand_key(const struct expand *e)
{
	if (e->phase == PH_DOMAIN)
		return addr_domain(&e->asked);
	if (e->phase == PH_CATCHALL)
		return span_make(e->key, e->key_n);
	if (e->phase == PH_BASE_ALIAS || e->phase == PH_BASE_MAILBOX)
		return addr_span(&e->base);
	return addr_span(&e->asked);
}

static void begin_catchall(struct expand *e)
{
	const struct link *l = &e->chain[e->catchall];

	if (e->catchall == e->nchain) {
		put_target(e, EXPAND_UNKNOWN, &e->item[e->at].addr, 0);
		next_item(e);
		return;
	}
	e->key[0] = '@';
	memcpy(e->key + 1, l->name, l->n);
	e->key_n = l->n + 1;
	e->phase = PH_CATCHALL;
}

/* The same local part in another domain; false when it has no room there. */
static bool move_to(const struct addr *a, struct span domain,
		    struct addr *moved_r)
{
	size_t n = (size_t)a->at + 1 + domain.n;

	if (n > ADDR_MAX)
		return false;
	memcpy(moved_r->text, a->text, a->at + 1U);
	memcpy(moved_r->text + a->at + 1, domain.p, domain.n);
	moved_r->text[n] = '\0';
	moved_r->n = (uint16_t)n;
	moved_r->at = a->at;
	return true;
}

static bool in_chain(const struct expand *e, struct span domain)
{
	for (size_t i = 0; i < e->nchain; i++)
		if (span_eq(span_make(e->chain[i].name, e->chain[i].n), domain))
			return true;
	return false;
}

/* Nothing of this name here: perhaps in the domain that this one stands for.
 * Its name was left behind the chain by expand_tell_domain(). */
static void next_domain(struct expand *e)
{
	const struct link *next = &e->chain[e->nchain];
	struct addr moved;

	if (next->n == 0 || in_chain(e, span_make(next->name, next->n)) ||
	    !move_to(&e->item[e->at].addr, span_make(next->name, next->n),
		     &moved)) {
		e->catchall = 0;
		begin_catchall(e);
	} else if (e->nchain == EXPAND_CHAIN_MAX) {
		stop(e, EXPAND_TOO_FAR);
	} else {
		e->asked = moved;
		look_at_domain(e);
	}
}

static void no_mailbox(struct expand *e)
{
	if (e->phase == PH_MAILBOX && e->has_base)
		e->phase = PH_BASE_ALIAS;
	else
		next_domain(e);
}

void expand_tell_domain(struct expand *e, enum fact ours, enum fact active,
			struct span alias_of)
{
	if (ours == F_TEMP || (ours == F_YES && active == F_TEMP)) {
		stop(e, EXPAND_TEMP);
		return;
	}
	if (ours == F_NO || active == F_NO) {
		put_target(e, ours == F_NO ? EXPAND_FOREIGN : EXPAND_DOMAIN_OFF,
			   &e->asked, 0);
		next_item(e);
		return;
	}
	alias_of = span_head(alias_of, ADDR_DOMAIN_MAX);
	memcpy(e->chain[e->nchain].name, alias_of.p, alias_of.n);
	e->chain[e->nchain].n = alias_of.n;
	e->phase = PH_ALIAS;
}

/* An extension that nothing took goes on to the target, unless the target
 * would grow too long by it. */
static void carry_extension(const struct expand *e, struct addr *a)
{
	size_t n = strlen(e->extension), total = a->n + n;

	if (total > ADDR_MAX || a->at + n > ADDR_LOCAL_MAX || a->text[0] == '"')
		return;
	memmove(a->text + a->at + n, a->text + a->at, (size_t)(a->n - a->at));
	memcpy(a->text + a->at, e->extension, n);
	a->at = (uint16_t)(a->at + n);
	a->n = (uint16_t)total;
	a->text[total] = '\0';
}

/* The address of the alias; a catch-all has none: whom it was found for. */
static const struct addr *alias_address(const struct expand *e)
{
	if (e->phase == PH_CATCHALL)
		return &e->item[e->at].addr;
	return e->phase == PH_BASE_ALIAS ? &e->base : &e->asked;
}

static bool is_self(const struct expand *e, const struct addr *a)
{
	if (e->phase == PH_CATCHALL)
		return false;
	return span_eq(addr_span(alias_address(e)), addr_span(a)) ||
	       span_eq(addr_span(&e->asked), addr_span(a));
}

/* "@other" */
static bool whole_domain(const struct expand *e, struct span word,
			 struct addr *a_r)
{
	char domain[ADDR_DOMAIN_MAX + 1];
	size_t n;

	return addr_domain_parse(span_skip(word, 1), domain, &n) == ADDR_OK &&
	       move_to(&e->item[e->at].addr, span_make(domain, n), a_r);
}

static void tell_word(struct expand *e, struct span word)
{
	unsigned depth = e->item[e->at].depth + 1;
	struct addr a;
	bool ok;

	if (word.p[0] == '@')
		ok = whole_domain(e, word, &a);
	else
		ok = addr_parse(word, e->fold, &a) == ADDR_OK;
	if (!ok) {
		put_target(e, EXPAND_BAD, alias_address(e), 0);
		return;
	}
	if (is_self(e, &a)) {
		e->self = true;
		return;
	}
	if (e->phase == PH_BASE_ALIAS && word.p[0] != '@')
		carry_extension(e, &a);
	follow(e, &a, depth);
}

static bool is_separator(char c)
{
	return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void expand_tell_target(struct expand *e, struct span text)
{
	while (text.n > 0 && e->phase != PH_END) {
		size_t n = 0;

		while (n < text.n && !is_separator(text.p[n]))
			n++;
		if (n > 0)
			tell_word(e, span_head(text, n));
		text = span_skip(text, n < text.n ? n + 1 : n);
	}
}

static void no_alias(struct expand *e)
{
	if (e->phase == PH_ALIAS) {
		e->phase = PH_MAILBOX;
	} else if (e->phase == PH_BASE_ALIAS) {
		e->phase = PH_BASE_MAILBOX;
	} else {
		e->catchall++;
		begin_catchall(e);
	}
}

void expand_tell_alias(struct expand *e, enum fact found)
{
	if (e->phase == PH_END)
		return;
	if (found == F_TEMP) {
		stop(e, EXPAND_TEMP);
	} else if (found == F_NO) {
		no_alias(e);
	} else if (e->self) {
		if (e->phase == PH_BASE_ALIAS)
			e->asked = e->base;
		e->phase = PH_SELF;
	} else {
		next_item(e);
	}
}

void expand_tell_mailbox(struct expand *e, enum fact known)
{
	size_t answer = e->answers++;
	const struct addr *a =
		e->phase == PH_BASE_MAILBOX ? &e->base : &e->asked;

	if (known == F_TEMP) {
		stop(e, EXPAND_TEMP);
	} else if (known == F_YES) {
		put_target(e, EXPAND_MAILBOX, a, answer);
		next_item(e);
	} else if (e->phase == PH_SELF) {
		put_target(e, EXPAND_UNKNOWN, a, 0);
		next_item(e);
	} else {
		no_mailbox(e);
	}
}

const struct expand_target *expand_targets(const struct expand *e, size_t *n_r)
{
	*n_r = e->ntarget;
	return e->target;
}
