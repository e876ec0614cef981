/* auth/check.h: looks an account up and verifies the password. Runs in a
 * worker, which alone uses its checker. */
#ifndef MAILROW_AUTH_CHECK_H
#define MAILROW_AUTH_CHECK_H

#include "auth/attempt.h"
#include "auth/settings.h"

struct checker {
	struct db *db;                    /* accounts */
	struct login_row *row;            /* LOGIN_ROWS_MAX */
	char like[PASSWORD_HASH_MAX + 1]; /* a hash of this site, for
					   * names that do not exist */
};

/* False: no memory; checker_release() is allowed then too. */
bool checker_init(struct checker *c, const struct settings *s)
	__attribute__((warn_unused_result));
void checker_release(struct checker *c);

/* Sets a->result. Every reason costs an unknown name what it costs a wrong
 * password. */
void check_attempt(struct checker *c, const struct settings *s,
		   struct attempt *a);

#endif
