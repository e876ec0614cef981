/* policy/limit.h: how much an account or a domain may send or receive in a
 * window of time. Pure. */
#ifndef MAILROW_POLICY_LIMIT_H
#define MAILROW_POLICY_LIMIT_H

#include "lib/span.h"

enum limit_direction { LIMIT_OUT, LIMIT_IN };

/* From a minute to 31 days. */
enum { LIMIT_SECONDS_MIN = 60, LIMIT_SECONDS_MAX = 2678400 };

/* A row of the table policy_limit. */
struct limit_row {
	struct span subject; /* an address, "@domain", "*" or "@*" */
	enum limit_direction direction;
	uint32_t seconds;
	bool has_messages, has_recipients, has_octets; /* else no limit */
	uint64_t messages, recipients, octets;
};

#endif
