/* policy/judge_lookup.h: one decision's questions to the database: connections
 * are taken when first needed and given back at its end, answers are
 * remembered for a moment (judge_memory.h). What cannot be told is F_TEMP. */
#ifndef MAILROW_POLICY_JUDGE_LOOKUP_H
#define MAILROW_POLICY_JUDGE_LOOKUP_H

#include "policy/judge.h"
#include "policy/snapshot.h"

struct lookup {
	const struct judge *j;
	int64_t asked;
	int64_t deadline; /* as in clock.h */
	struct db *store;
	struct db *accounts;
	struct snapshot *policy; /* lookup_policy() */
	bool policy_asked;
};

void lookup_begin(struct lookup *l, const struct judge *j, int64_t deadline);
void lookup_end(struct lookup *l);

/* The policy's tables, the same ones throughout. NULL: they were never read. */
const struct snapshot *lookup_policy(struct lookup *l);

/* domain is canonical. */
void lookup_domain(struct lookup *l, struct span domain,
		   struct domain_facts *f_r);

/* Is it a domain of ours, for a stranger who bears its name? That it is not is
 * remembered for a minute. */
enum fact lookup_stranger(struct lookup *l, struct span domain);

/* As accounts_alias(). */
enum fact lookup_alias(struct lookup *l, struct span name,
		       bool (*target)(void *arg, struct span text), void *arg);

/* Does the profile's sender_query say that a login may send as an address? F_NO
 * also where it has no such query. */
enum fact lookup_sender(struct lookup *l, const struct addr *login,
			const struct addr *sender);

/* Is there a mailbox of this name? It gets no row by that. */
enum fact lookup_known(struct lookup *l, const struct addr *a);

/* Is who has logged in still open for sending? Without a state_query of the
 * profile nobody can tell: F_NO, not known. */
void lookup_login(struct lookup *l, const struct addr *login,
		  struct login_facts *f_r);

/* The mailbox, how it is served, and its row if it is stored in. */
void lookup_mailbox(struct lookup *l, const struct addr *a,
		    struct judge_mailbox *b_r);

/* What was used of the limits of an account and its domain, row by row. False:
 * cannot tell. */
bool lookup_usage(struct lookup *l, enum limit_direction d,
		  const struct addr *who,
		  void (*take)(void *arg, const struct usage_row *r), void *arg)
	__attribute__((warn_unused_result));

/* How an address is served, the default included. False: cannot tell. */
bool lookup_mode(struct lookup *l, const struct addr *a,
		 enum served_mode *mode_r) __attribute__((warn_unused_result));

#endif
