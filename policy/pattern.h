/* policy/pattern.h: names of the policy's tables that stand for more than one
 * address, and which of them an address falls under. Pure. */
#ifndef MAILROW_POLICY_PATTERN_H
#define MAILROW_POLICY_PATTERN_H

#include "lib/addr.h"

/* The forms, narrowest first. */
enum pattern_form {
	PATTERN_ADDRESS = 1,    /* bob@example.org */
	PATTERN_LOCAL = 2,      /* bob@ in any domain */
	PATTERN_DOMAIN = 4,     /* @example.org */
	PATTERN_SUBDOMAINS = 8, /* @.example.org, without example.org itself */
	PATTERN_NULL = 16,      /* <> */
	PATTERN_ANY = 32,       /* *, also the null sender */
	PATTERN_ANY_DOMAIN = 64 /* @*, each domain: policy_limit */
};

/* Which each column takes. */
enum {
	PATTERNS_SCOPE = PATTERN_ADDRESS | PATTERN_DOMAIN | PATTERN_ANY,
	PATTERNS_SENDER = PATTERN_ADDRESS | PATTERN_LOCAL | PATTERN_DOMAIN |
			  PATTERN_SUBDOMAINS | PATTERN_NULL | PATTERN_ANY,
	PATTERNS_LOGIN = PATTERN_ADDRESS | PATTERN_DOMAIN,
	PATTERNS_SEND_AS = PATTERN_ADDRESS | PATTERN_DOMAIN |
			   PATTERN_SUBDOMAINS | PATTERN_ANY,
	PATTERNS_SUBJECT = PATTERN_ADDRESS | PATTERN_DOMAIN | PATTERN_ANY |
			   PATTERN_ANY_DOMAIN
};

enum { PATTERN_MAX = ADDR_MAX };

struct pattern {
	char text[PATTERN_MAX + 1]; /* NUL-terminated */
	size_t n;
	enum pattern_form form;
};

static inline struct span pattern_span(const struct pattern *p)
{
	return (struct span){ p->text, p->n };
}

/* The canonical form of one of these forms. False: it is none of them. */
bool pattern_parse(struct span text, unsigned forms, bool fold_local,
		   struct pattern *p_r);

/* The patterns of these forms that an address falls under, narrowest first. An
 * address of n 0 is the null sender. a stays. */
struct pattern_walk {
	const struct addr *a;
	unsigned forms;
	unsigned step; /* the form that comes next */
	size_t dot;    /* PATTERN_SUBDOMAINS: where in the address it is */
	char room[1 + ADDR_DOMAIN_MAX];
};

void pattern_begin(struct pattern_walk *w, const struct addr *a,
		   unsigned forms);

/* False: there are no more. key_r is valid until the next call. */
bool pattern_next(struct pattern_walk *w, struct span *key_r);

/* A list of domains, and of .domains that stand for their sub-domains, with
 * blanks or commas between. */
bool pattern_list_has(struct span list, struct span domain);

/* True if each word of the list is one, in canonical form; else bad_r is the
 * first that is none. */
bool pattern_list_check(struct span list, struct span *bad_r);

#endif
