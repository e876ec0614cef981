/* auth/guard.h: stands before the judge and beside him: what the memory of
 * failed logins means for an attempt, and what its end means for the memory.
 * The loop's alone. */
#ifndef MAILROW_AUTH_GUARD_H
#define MAILROW_AUTH_GUARD_H

#include "auth/attackers.h"
#include "auth/attackersync.h"
#include "auth/attempt.h"

struct guard {
	struct attackers *memory;
	struct attackersync *sync;
	bool syncing; /* a worker has it */
	size_t delayed;
};

/* False: no memory. */
bool guard_init(struct guard *g) __attribute__((warn_unused_result));
void guard_release(struct guard *g);

/* False: the attempt is refused unseen, its result is set. Else a->hold is what
 * its answer, if it fails, waits longer than others'; that takes a slot until
 * guard_let_go(). */
bool guard_admit(struct guard *g, const struct conf *c, struct attempt *a)
	__attribute__((warn_unused_result));
void guard_let_go(struct guard *g, struct attempt *a);

/* a->result is there; the password, if there was one, still. */
void guard_note(struct guard *g, const struct conf *c, const struct attempt *a);

#endif
