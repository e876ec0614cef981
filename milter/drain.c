/* milter/drain.c: see drain.h. */
#include "milter/drain.h"

#include <pthread.h>

#include "lib/clock.h"

/* libmilter writes the reply after our callback has returned and tells nobody
 * when it is done. */
enum { REPLY_MS = 200 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;
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

/* The condition's clock is the wall clock; a step of it costs one more turn,
 * since the deadline itself is monotonic. */
static void wait_until(int64_t deadline)
{
	int left = deadline_left(deadline);
	struct timespec t;

	if (left > 500)
		left = 500;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += (long)left * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	(void)pthread_cond_timedwait(&done, &lock, &t);
}

unsigned drain_wait(int64_t ms)
{
	const struct timespec reply = { .tv_nsec = REPLY_MS * 1000000L };
	int64_t deadline = deadline_in(ms);
	unsigned left;

	(void)pthread_mutex_lock(&lock);
	going = true;
	while (under_way > 0 && deadline_left(deadline) > 0)
		wait_until(deadline);
	left = under_way;
	(void)pthread_mutex_unlock(&lock);
	(void)nanosleep(&reply, NULL);
	return left;
}
