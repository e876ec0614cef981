/* policy/limits.h: the limits of a mail under way: which hold for it, what was
 * used of them before, and at its end what it is charged.
 *
 * What is received is charged by who stores it; for a recipient whose mail the
 * MTA delivers, by who decides about it. */
#ifndef MAILROW_POLICY_LIMITS_H
#define MAILROW_POLICY_LIMITS_H

#include "lib/fact.h"
#include "policy/limit.h"
#include "policy/snapshot.h"
#include "sql/charge.h"

/* One window of one subject. */
struct limits_line {
	char subject[ADDR_MAX + 1]; /* an address or "@domain" */
	struct limit_row row;       /* its subject is that of the table */
	struct limit_usage usage;   /* before this mail */
	int64_t now;                /* the database's clock when it was read */
	uint64_t recipients;        /* of this mail so far */
	uint64_t passed;            /* those of them that the MTA delivers */
	bool shadow;                /* counts, and rejects nobody */
};

/* All zero: none. */
struct limits {
	struct limits_line *line;
	size_t n, size;
};

void limits_release(struct limits *l);

/* Makes the lines of an account and its domain, unless they are there. What was
 * used is to be told for those from *first_r on. False: no memory. */
bool limits_open(struct limits *l, const struct snapshot *s,
		 enum limit_direction d, const struct addr *who, bool shadow,
		 size_t *first_r) __attribute__((warn_unused_result));

/* What the table limit_usage says: a row of it, for usage_read(). */
void limits_tell(void *limits, const struct usage_row *row);

/* Forgets the lines from first on: nobody could tell what was used. */
void limits_drop(struct limits *l, size_t first);

/* Does one more recipient fit, in a mail of so many octets (0: not known)? The
 * line that it has to wait for longest; NULL: it fits. now: this host's clock,
 * for where the database was not asked. */
const struct limits_line *limits_reached(const struct limits *l,
					 enum limit_direction d,
					 const struct addr *who,
					 uint64_t octets, int64_t now,
					 struct limit_state *state_r);

/* It was accepted. passed: the MTA delivers it. */
void limits_count(struct limits *l, enum limit_direction d,
		  const struct addr *who, bool passed);

/* What a mail of so many octets is charged: what was sent, and what the MTA
 * delivers. percent: from how much of a limit on its owner is told. The
 * charges are views of l. False: no memory. */
bool limits_charge(const struct limits *l, uint64_t octets, unsigned percent,
		   struct charges *c) __attribute__((warn_unused_result));

/* The same for a mailbox, which is not charged if it is a duplicate there. */
bool limits_charge_box(const struct limits *l, const struct addr *box,
		       uint64_t octets, unsigned percent, const bool *duplicate,
		       struct charges *c) __attribute__((warn_unused_result));

/* Does a subject, an address or "@domain", count this one? */
bool limits_subject_is(struct span subject, const struct addr *who);

/* The line that a charge was made from. */
const struct limits_line *limits_find(const struct limits *l,
				      const struct usage_key *k);

#endif
