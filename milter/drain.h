/* milter/drain.h: which messages must be brought to their end before the
 * process may go. Thread-safe. */
#ifndef MAILROW_MILTER_DRAIN_H
#define MAILROW_MILTER_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

/* A message begins; false when the process is going: answer 451. */
bool drain_enter(void) __attribute__((warn_unused_result));
void drain_leave(void);

/* No message begins from now on; waits for those under way, and for their
 * replies to leave, but not longer than this many milliseconds. Returns how
 * many are still under way. */
unsigned drain_wait(int64_t ms);

#endif
