/* lib/pwcost.h: what verifying a stored password costs, read from its text
 * before anything is computed: who can write a hash shall not hold a worker
 * with it. The bounds are some seconds of a slow core, and 256 MiB. */
#ifndef MAILROW_LIB_PWCOST_H
#define MAILROW_LIB_PWCOST_H

#include "lib/span.h"

enum pwcost {
	PWCOST_FINE,
	PWCOST_BIG, /* takes memory: between pwcost_enter() and _leave() */
	PWCOST_TOO_MUCH,
	PWCOST_UNKNOWN /* a form whose cost we cannot read */
};

/* Of a digest, so many times. */
enum pwcost pwcost_of_rounds(uint64_t rounds);

/* Of so much memory, written so many times. */
enum pwcost pwcost_of_memory(uint64_t kib, uint64_t passes);

/* Of what crypt(3) takes. */
enum pwcost pwcost_of_crypt(struct span setting);

/* Waits until one of the few places is free. */
void pwcost_enter(void);
void pwcost_leave(void);

#endif
