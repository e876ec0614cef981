/* sql/pool.c: see pool.h. The connection used last is lent first, so that a
 * quiet server keeps few of them busy; but before it one that was lost in a
 * transaction, since nobody else ends what the server still holds for it. */
#include "sql/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "lib/log.h"

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t came_back;
	size_t size;
	size_t nfree;
	struct db *idle[]; /* those not lent, a stack */
};

static bool pool_fill(struct pool *p, const struct db_target *t, size_t size)
{
	while (p->nfree < size) {
		struct db *db = db_new(t);

		if (!db)
			return false;
		p->idle[p->nfree++] = db;
	}
	p->size = size;
	return true;
}

static bool cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	bool ok;

	if (pthread_condattr_init(&attr))
		return false;
	ok = !pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) &&
	     !pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
	return ok;
}

struct pool *pool_new(const struct db_target *t, size_t size)
{
	struct pool *p = calloc(1, sizeof(*p) + size * sizeof(*p->idle));

	if (!p)
		return NULL;
	if (pthread_mutex_init(&p->lock, NULL)) {
		free(p);
		return NULL;
	}
	if (!cond_init(&p->came_back)) {
		pthread_mutex_destroy(&p->lock);
		free(p);
		return NULL;
	}
	if (!pool_fill(p, t, size)) {
		p->size = p->nfree;
		pool_free(&p);
	}
	return p;
}

void pool_free(struct pool **pp)
{
	struct pool *p = *pp;

	if (!p)
		return;
	if (p->nfree != p->size)
		log_panic("pool freed while %zu connections are lent",
			  p->size - p->nfree);
	while (p->nfree > 0)
		db_free(&p->idle[--p->nfree]);
	pthread_cond_destroy(&p->came_back);
	pthread_mutex_destroy(&p->lock);
	free(p);
	*pp = NULL;
}

/* Deadlines are of the same clock as the condition (clock.h). */
static struct timespec abstime(int64_t deadline)
{
	return (struct timespec){ .tv_sec = (time_t)(deadline / 1000),
				  .tv_nsec = deadline % 1000 * 1000000 };
}

/* At least one is free. */
static struct db *pool_take(struct pool *p)
{
	size_t i = p->nfree;
	struct db *db;

	while (i > 0 && !db_has_former(p->idle[i - 1]))
		i--;
	if (i == 0)
		i = p->nfree;
	db = p->idle[i - 1];
	p->idle[i - 1] = p->idle[--p->nfree];
	return db;
}

struct db *pool_get(struct pool *p, int64_t deadline)
{
	struct timespec until = abstime(deadline);
	struct db *db = NULL;
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	while (p->nfree == 0 && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&p->came_back, &p->lock, &until);
	if (p->nfree > 0)
		db = pool_take(p);
	pthread_mutex_unlock(&p->lock);
	return db;
}

void pool_put(struct pool *p, struct db **db)
{
	if (!*db)
		return;
	db_rollback(*db);
	pthread_mutex_lock(&p->lock);
	p->idle[p->nfree++] = *db;
	*db = NULL;
	pthread_cond_signal(&p->came_back);
	pthread_mutex_unlock(&p->lock);
}
