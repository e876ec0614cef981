/* auth/pending.h: how many attempts are being checked of each address, network
 * and account, by a keyed hash of its name. Pure. */
#ifndef MAILROW_AUTH_PENDING_H
#define MAILROW_AUTH_PENDING_H

#include <stdbool.h>
#include <stdint.h>

enum { PENDING_MAX = 32768 };

struct pending;

/* NULL: no memory. */
struct pending *pending_new(void);
void pending_free(struct pending **t);

/* One more; key is not 0. False: PENDING_MAX others have some, it is not
 * counted. */
bool pending_add(struct pending *t, uint64_t key)
	__attribute__((warn_unused_result));

/* One that was counted is over. */
void pending_drop(struct pending *t, uint64_t key);
unsigned pending_count(const struct pending *t, uint64_t key);

#endif
