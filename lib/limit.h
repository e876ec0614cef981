/* lib/limit.h: how much an account or a domain may send or receive in a window
 * of time: what the tables policy_limit and limit_usage hold. */
#ifndef MAILROW_LIB_LIMIT_H
#define MAILROW_LIB_LIMIT_H

#include "lib/span.h"

enum limit_direction { LIMIT_OUT, LIMIT_IN };

enum {
	LIMIT_SECONDS_MIN = 60,
	LIMIT_SECONDS_MAX = 2678400,        /* 31 days */
	LIMIT_WINDOWS_MAX = 8,              /* of a subject, in one direction */
	LIMITS_MAX = 2 * LIMIT_WINDOWS_MAX, /* an account's and its domain's */
	/* another node's clock may be ahead; beyond, a start is none */
	LIMIT_CLOCK_SKEW = 3600
};

/* A row of the table policy_limit. */
struct limit_row {
	struct span subject; /* an address, "@domain", "*" or "@*" */
	enum limit_direction direction;
	uint32_t seconds;
	bool has_messages, has_recipients, has_octets; /* else no limit */
	uint64_t messages, recipients, octets;
};

/* What is counted; of a limit, UINT64_MAX is none. */
struct limit_amount {
	uint64_t messages, recipients, octets;
};

/* A row of the table limit_usage, by the database's clock. The window begins
 * with the first charge after the last one was over. */
struct limit_usage {
	int64_t started_at; /* seconds since the epoch, 0: never */
	struct limit_amount used;
	unsigned noticed; /* LIMIT_NOTICED_ bits: who was told of it */
};

enum { LIMIT_NOTICED_NEAR = 1, LIMIT_NOTICED_FULL = 2 };

#endif
