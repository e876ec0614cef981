/* auth/guard.h: stands before the judge and beside him: what the memory of
 * failed logins means for an attempt, and what its end means for the memory.
 * The loop's alone. */
#ifndef MAILROW_AUTH_GUARD_H
#define MAILROW_AUTH_GUARD_H

#include "auth/attackers.h"
#include "auth/attackersync.h"
#include "auth/attempt.h"
#include "auth/pending.h"

struct guard {
	struct attackers *memory;
	struct attackersync *sync;
	bool syncing; /* a worker has it */
	size_t delayed;
	struct pending *pending;
	struct attempt *first, *last; /* that wait */
};

/* False: no memory. */
bool guard_init(struct guard *g) __attribute__((warn_unused_result));
void guard_release(struct guard *g);

enum guard_word { GUARD_PASS, GUARD_REFUSED, GUARD_WAIT };

/* REFUSED: unseen, its result is set. WAIT: as many attempts of its address,
 * network or account are being checked as may fail before it is refused;
 * guard_next() gives it back when it is known how they ended. PASS: a->hold is
 * what its answer, if it fails, waits longer than others'; that takes a slot.
 * What it takes, or its waiting, ends with guard_let_go(). */
enum guard_word guard_admit(struct guard *g, const struct conf *c,
			    struct attempt *a)
	__attribute__((warn_unused_result));
void guard_let_go(struct guard *g, struct attempt *a);

/* One that may pass is with a worker; and is not any more: key_r is for
 * guard_next(). */
void guard_enter(struct guard *g, struct attempt *a);
void guard_leave(struct guard *g, struct attempt *a,
		 uint64_t key_r[ATTACKERS_BY_BLOCK]);

/* The first that waited for one of these and need not any more, to be admitted
 * again; NULL: none. */
struct attempt *guard_next(struct guard *g, const struct conf *c,
			   const uint64_t key[ATTACKERS_BY_BLOCK]);

/* a->result is there; the password, if there was one, still. */
void guard_note(struct guard *g, const struct conf *c, const struct attempt *a);

#endif
