/* policy/notice_hook.h: the command of the site that is told of limits. */
#ifndef MAILROW_POLICY_NOTICE_HOOK_H
#define MAILROW_POLICY_NOTICE_HOOK_H

#include "policy/noticetext.h"

enum { NOTICE_HOOK_MS = 5000 };

/* Runs it, without a shell and with nothing open, and waits until it ends, or
 * kills it when NOTICE_HOOK_MS are over. Arguments: "limit", "near" or "full",
 * "out" or "in", whose, the seconds of the period, and of messages, recipients
 * and octets each what is used and the limit ("-": none). What goes wrong is
 * logged. */
void notice_hook(const char *command, const struct notice *n);

#endif
