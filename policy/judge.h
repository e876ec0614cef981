/* policy/judge.h: the thin shell around the policy: fetches the facts from
 * sql/ and asks the pure predicates. The milter, lmtpd and the tool call the
 * same judge. */
#ifndef MAILROW_POLICY_JUDGE_H
#define MAILROW_POLICY_JUDGE_H

#include "lib/addr.h"
#include "policy/judge_memory.h"
#include "policy/rcpt.h"
#include "sql/accounts.h"
#include "sql/pool.h"

/* What stays the same for all decisions under one configuration. accounts may
 * be the same pool as store. */
struct judge {
	const struct conf *conf;
	const struct profile *profile;
	struct pool *store;
	struct pool *accounts;
	struct judge_memory *memory;
};

/* Who asks. */
struct judge_client {
	struct ipaddr addr;
	bool has_addr;
	bool authenticated;
};

struct judged_rcpt {
	struct verdict verdict;
	bool store;          /* accepted, and the mailbox is ours */
	struct addr mailbox; /* where it is stored */
	uint64_t mailbox_id;
	uint64_t quota;
};

/* rcpt is the recipient as the MTA rewrote it, size the declared SIZE= (0 =
 * not told). Answers by the deadline. */
void judge_rcpt(const struct judge *j, const struct judge_client *c,
		struct span rcpt, uint64_t size, int64_t deadline,
		struct judged_rcpt *r);

#endif
