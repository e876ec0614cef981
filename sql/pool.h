/* sql/pool.h: a bounded set of connections, lent for one job at a time. */
#ifndef MAILROW_SQL_POOL_H
#define MAILROW_SQL_POOL_H

#include "sql/db.h"

struct pool;

/* Connections are made when first lent. NULL: no memory. */
struct pool *pool_new(const struct db_target *t, size_t size);
void pool_free(struct pool **p);

/* Waits for a free connection until the deadline (clock.h); NULL when there
 * is none in time. Not necessarily connected: see db_connect(). */
struct db *pool_get(struct pool *p, int64_t deadline);

/* Gives it back; an open transaction is rolled back. */
void pool_put(struct pool *p, struct db **db);

#endif
