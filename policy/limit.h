/* policy/limit.h: does it fit into a limit, and when will it? Pure. */
#ifndef MAILROW_POLICY_LIMIT_H
#define MAILROW_POLICY_LIMIT_H

#include "lib/addr.h"
#include "lib/limit.h"

enum limit_fit {
	LIMIT_FITS,
	LIMIT_LATER, /* when the window is over */
	LIMIT_NEVER  /* it alone is more than the limit */
};

/* "messages", "recipients", "octets" */
enum limit_what { LIMIT_MESSAGES, LIMIT_RECIPIENTS, LIMIT_OCTETS };

struct limit_state {
	enum limit_fit fit;
	enum limit_what what; /* that does not fit */
	uint64_t most;        /* of it */
	int64_t frees_at;     /* LIMIT_LATER: the end of the window */
};

/* Whose usage a row limits, for an account: the row of an account, or the
 * default of all, speaks of its address, that of a domain of "@domain". A view
 * of a. */
struct span limit_subject(const struct limit_row *row, const struct addr *a);

/* The limits of a row. */
struct limit_amount limit_most(const struct limit_row *row);

/* What is used at that time: nothing when the window is over. */
struct limit_amount limit_used(const struct limit_row *row,
			       const struct limit_usage *u, int64_t now);

/* Does it still fit? At the end of a mail the charge itself answers. */
struct limit_state limit_look(const struct limit_row *row,
			      const struct limit_usage *u,
			      const struct limit_amount *add, int64_t now);

/* From how much on its owner is to be told: percent of each limit, rounded up;
 * 0: never. */
struct limit_amount limit_near(const struct limit_row *row, unsigned percent);

/* "1 hour", "90 minutes", "31 days": the largest unit that leaves no rest. */
void limit_put_time(struct buf *out, uint64_t seconds);

/* For a reply: "100 messages in 1 hour, free again at Sat, 28 Nov 2026 04:12:00
 * +0000". */
void limit_put_state(struct buf *out, const struct limit_row *row,
		     const struct limit_state *s);

const char *limit_direction_name(enum limit_direction d); /* "out", "in" */
const char *limit_what_name(enum limit_what what);

#endif
