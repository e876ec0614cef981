/* lib/secret.h: memory for what must not be found: it is not in a core dump,
 * not written to swap where the system lets us lock it, and overwritten when
 * it is given back. Slots of one size, their number fixed; for one thread. */
#ifndef MAILROW_LIB_SECRET_H
#define MAILROW_LIB_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct secret_pool;

/* NULL: no memory. What is not used yet costs none. */
struct secret_pool *secret_pool_new(size_t slot, size_t n);

/* Every slot has been given back. */
void secret_pool_free(struct secret_pool **p);

/* Whether the system lets us keep it out of swap. */
bool secret_pool_locked(const struct secret_pool *p);

/* All zero; NULL when there is none left. */
void *secret_take(struct secret_pool *p);

/* Overwrites it. NULL is allowed. */
void secret_give(struct secret_pool *p, void *slot);

#endif
