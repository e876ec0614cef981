/* policy/judgeint.h: what the judge's parts share. */
#ifndef MAILROW_POLICY_JUDGEINT_H
#define MAILROW_POLICY_JUDGEINT_H

#include "policy/judge_lookup.h"

/* One recipient on its way to a verdict. */
struct judging {
	struct lookup l;
	const struct judge_client *client;
	const struct judge_message *message;
	struct addr rcpt;
	struct facts facts;        /* of this recipient, too */
	struct policy_modes modes; /* for its domain */
	struct judge_mailbox *box; /* by the number of the answer */
	size_t nbox, box_size;
	struct judged_rcpt *r;
};

/* Of who has none of the predicates' names. */
static inline struct verdict judge_verdict(enum reply_id id, const char *name)
{
	return (struct verdict){ id, name, 0 };
}

/* STAGE_STORE is added for a role that only stores. */
struct verdict judge_decide(const struct judge *j, const struct judge_client *c,
			    unsigned stage, const struct facts *f,
			    const struct policy_modes *m);

/* A recipient of an active domain of ours: where it leads, and what becomes of
 * each end of the way. */
void judge_local(struct judging *g);

#endif
