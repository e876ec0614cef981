/* auth/check.h: looks an account up and verifies the password. Runs in a
 * worker, which alone uses its checker. */
#ifndef MAILROW_AUTH_CHECK_H
#define MAILROW_AUTH_CHECK_H

#include "auth/attempt.h"
#include "auth/memory.h"
#include "auth/settings.h"
#include "sql/apppass.h"

#include <stdatomic.h>

/* What the checkers of all workers share. */
struct check_shared {
	struct memory *memory;
	/* with auth_grace: the accounts did not answer, and nobody but one
	 * worker asks them before then (clock_ms()) */
	_Atomic int64_t away_until;
};

struct checker {
	struct check_shared *shared;
	struct db *db;         /* accounts */
	struct db *store;      /* the same, or another server */
	struct login_row *row; /* LOGIN_ROWS_MAX */
	struct apppass *app;
	char like[PASSWORD_HASH_MAX + 1]; /* a hash of this site, for
					   * names that do not exist */
	struct login_row *rehash; /* its hash is weak, the password is */
	struct buf password;      /* this; empty: nothing to be done */
};

/* False: no memory; checker_release() is allowed then too. */
bool checker_init(struct checker *c, const struct settings *s,
		  struct check_shared *shared)
	__attribute__((warn_unused_result));
void checker_release(struct checker *c);

/* Sets a->result. Every reason costs an unknown name what it costs a wrong
 * password. */
void check_attempt(struct checker *c, const struct settings *s,
		   struct attempt *a);

/* The same for a login that is on already (MECH_STATE): is it still open for
 * the attempt's door? */
void check_state(struct checker *c, const struct settings *s,
		 struct attempt *a);

/* What is left to do about the last attempt when its answer is on its way: a
 * weak hash is made a better one. */
void check_afterwards(struct checker *c, const struct settings *s);

#endif
