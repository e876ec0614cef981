/* milter/drain.c: see drain.h. */
#include "milter/drain.h"

#include <pthread.h>

#include "lib/clock.h"
#include "lib/log.h"

/* libmilter writes the reply after our callback has returned and tells nobody
 * when it is done. */
enum { REPLY_MS = 200 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done; /* made when we are going; monotonic clock */
static unsigned under_way;
static bool going;

bool drain_enter(void)
{
	bool ok;

	(void)pthread_mutex_lock(&lock);
	ok = !going;
	if (ok)
		under_way++;
	(void)pthread_mutex_unlock(&lock);
	return ok;
}

void drain_leave(void)
{
	(void)pthread_mutex_lock(&lock);
	under_way--;
	if (going && under_way == 0)
		(void)pthread_cond_broadcast(&done);
	(void)pthread_mutex_unlock(&lock);
}

/* With the lock held. Two threads may want to go. */
static void begin_going(void)
{
	pthread_condattr_t a;

	if (going)
		return;
	going = pthread_condattr_init(&a) == 0 &&
		pthread_condattr_setclock(&a, CLOCK_MONOTONIC) == 0 &&
		pthread_cond_init(&done, &a) == 0;
	if (!going)
		log_panic("cannot make a condition");
	(void)pthread_condattr_destroy(&a);
}

static void wait_until(int64_t deadline)
{
	struct timespec t = { .tv_sec = deadline / 1000,
			      .tv_nsec = deadline % 1000 * 1000000 };

	(void)pthread_cond_timedwait(&done, &lock, &t);
}

unsigned drain_wait(int64_t ms)
{
	const struct timespec reply = { .tv_nsec = REPLY_MS * 1000000L };
	int64_t deadline = deadline_in(ms);
	unsigned left;

	(void)pthread_mutex_lock(&lock);
	begin_going();
	while (under_way > 0 && deadline_left(deadline) > 0)
		wait_until(deadline);
	left = under_way;
	(void)pthread_mutex_unlock(&lock);
	(void)nanosleep(&reply, NULL);
	return left;
}
