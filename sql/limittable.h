/* sql/limittable.h: the tables policy_limit and limit_usage in the hands of the
 * administrator. Subjects are canonical: an address, "@domain", "*", "@*". */
#ifndef MAILROW_SQL_LIMITTABLE_H
#define MAILROW_SQL_LIMITTABLE_H

#include "lib/limit.h"
#include "sql/native.h"

/* Sets the limits of a window, in place of those that it had. NATIVE_IN_USE:
 * the subject has LIMIT_WINDOWS_MAX other windows. */
enum native_result limittable_set(struct db *db, const struct limit_row *row);

/* seconds NULL: all its windows. The subject may be one that is not canonical:
 * what somebody else wrote. */
enum native_result limittable_unset(struct db *db, struct span subject,
				    enum limit_direction d,
				    const uint64_t *seconds);

/* subject, direction, seconds, messages, recipients, octets; of one subject,
 * or of all when it is empty. */
enum native_result limittable_list(struct db *db, struct span subject,
				   native_row row, void *arg);

/* What an account (and its domain), or a domain alone (address empty), has used
 * of the limits that hold for it: whose, direction, seconds, messages, most
 * messages, recipients, most, octets, most, when the window ends (epoch, 0: it
 * has not begun). domain with its @. */
enum native_result limittable_usage(struct db *db, struct span address,
				    struct span domain, native_row row,
				    void *arg);

/* Forgets what was used. NATIVE_NONE: it was nothing. */
enum native_result limittable_reset(struct db *db, struct span subject,
				    enum limit_direction d);

#endif
