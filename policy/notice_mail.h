/* policy/notice_mail.h: a notice as mail, stored like any other. */
#ifndef MAILROW_POLICY_NOTICE_MAIL_H
#define MAILROW_POLICY_NOTICE_MAIL_H

#include "policy/noticetext.h"
#include "policy/settings.h"

/* Stores it for the account, and for the postmaster of its domain, where these
 * are mailboxes of ours, and logs it. No limit counts it. */
void notice_mail(struct settings *s, const struct notice *n);

#endif
