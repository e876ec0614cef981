/* policy/intakecharge.h: what a mail is charged without being stored. */
#ifndef MAILROW_POLICY_INTAKECHARGE_H
#define MAILROW_POLICY_INTAKECHARGE_H

#include "policy/judge.h"
#include "policy/settings.h"

/* Charges a mail of so many octets of which nothing is stored: R_NONE is
 * committed. One that is then refused by others was charged all the same. */
enum reply_id intake_charge(const struct settings *s, struct judge_message *m,
			    uint64_t octets, struct buf *why)
	__attribute__((warn_unused_result));

/* The same with charges that were made, of a mail whose mailboxes all have it
 * already. */
enum reply_id intake_charge_these(const struct settings *s,
				  struct judge_message *m, struct charges *c,
				  struct buf *why)
	__attribute__((warn_unused_result));

/* Is any of them not waived? */
bool intake_owes(const struct charges *c);

#endif
