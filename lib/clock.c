#include "lib/clock.h"

#include <limits.h>

static int64_t clock_read_us(clockid_t id)
{
	struct timespec t;

	/* cannot fail: both clocks exist on every system we build for */
	(void)clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_ms(void)
{
	return clock_read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_us(void)
{
	return clock_read_us(CLOCK_MONOTONIC);
}

int64_t clock_unix(void)
{
	return clock_read_us(CLOCK_REALTIME) / 1000000;
}

int64_t clock_unix_ms(void)
{
	return clock_read_us(CLOCK_REALTIME) / 1000;
}

int deadline_left(int64_t deadline)
{
	int64_t now = clock_ms();

	if (deadline <= now)
		return 0;
	return deadline - now > INT_MAX ? INT_MAX : (int)(deadline - now);
}
