/* lib/clock.h: time. Timers use the monotonic clock, never the wall clock. */
#ifndef MAILROW_LIB_CLOCK_H
#define MAILROW_LIB_CLOCK_H

#include <stdint.h>

int64_t clock_ms(void);   /* monotonic, milliseconds */
int64_t clock_us(void);   /* monotonic, microseconds */
int64_t clock_unix(void); /* seconds since the epoch */
int64_t clock_unix_ms(void);

/* A point in monotonic time by which something must be done. */
static inline int64_t deadline_in(int64_t ms)
{
	return clock_ms() + ms;
}

/* Milliseconds left, never negative; fit for poll(). */
int deadline_left(int64_t deadline);

#endif
