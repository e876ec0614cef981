/* auth/tick.h: when a failed login is answered. Pure. */
#ifndef MAILROW_AUTH_TICK_H
#define MAILROW_AUTH_TICK_H

#include <stdint.h>

enum { TICK_MS = 500 };

/* Milliseconds of one clock. An attempt that began at `begun` is answered at
 * the first tick, begun + k * TICK_MS, that is not before now and by which
 * `delay` has passed; at the deadline if that comes first. So the time of an
 * answer does not tell what the check had to do. delay 0: at once. */
int64_t tick_due(int64_t begun, int64_t now, int64_t delay, int64_t deadline);

#endif
