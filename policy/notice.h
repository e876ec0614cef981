/* policy/notice.h: tells the owner of a limit that it is near or reached: by a
 * mail that is stored for the account and its domain's postmaster, and by a
 * command of the site. A thread does it, so that no mail waits for it. */
#ifndef MAILROW_POLICY_NOTICE_H
#define MAILROW_POLICY_NOTICE_H

#include "policy/limits.h"

/* Starts the thread, which lives as long as the process; after settings_open().
 */
bool notice_start(void) __attribute__((warn_unused_result));

/* What these charges, which are committed, have set. */
void notice_charged(const struct charges *c);

/* A limit was reached, and something rejected: who is the first to say so in
 * this window tells its owner. */
void notice_refused(const struct limits_line *line);

#endif
