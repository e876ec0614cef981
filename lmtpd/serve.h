/* lmtpd/serve.h: connections become sessions, a thread each, and no more at
 * once than lmtp_max_sessions: the next ones wait in the listen queue. */
#ifndef MAILROW_LMTPD_SERVE_H
#define MAILROW_LMTPD_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SERVE_LISTENERS_MAX = 16 };

/* Begins to accept, in a thread. The listeners stay the caller's. */
bool serve_start(const int *listener, size_t n)
	__attribute__((warn_unused_result));

/* Nothing is accepted from now on, idle sessions are closed; waits for mails
 * under way, but not longer than this many milliseconds. Returns how many
 * sessions are left. */
size_t serve_stop(int64_t ms);

#endif
