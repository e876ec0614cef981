/* policy/intakelog.h: what the log says of a mail that has come to its end. */
#ifndef MAILROW_POLICY_INTAKELOG_H
#define MAILROW_POLICY_INTAKELOG_H

#include "policy/intake.h"

/* One line about the mail, and one for each address that the recipients
 * [first, first + n) lead to and that we store in or leave out, in the form
 * of Postfix's delivery agents; id and why are what intake_store() said. */
void intake_log_mail(const struct intake *in, const struct content *c,
		     const struct intake_facts *f);
void intake_log(const struct intake *in, size_t first, size_t n,
		const struct intake_facts *f, enum reply_id id,
		struct buf *why);

/* For log lines: "NOQUEUE" when it is empty. */
const char *intake_queue_id(const struct intake_facts *f, char room[64]);

#endif
