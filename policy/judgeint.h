/* policy/judgeint.h: what the judge's parts share. */
#ifndef MAILROW_POLICY_JUDGEINT_H
#define MAILROW_POLICY_JUDGEINT_H

#include "policy/judge_lookup.h"

/* One recipient on its way to a verdict. */
struct judging {
	struct lookup l;
	const struct judge_client *client;
	struct judge_message *message;
	struct addr rcpt;
	struct facts facts;        /* of this recipient, too */
	struct policy_modes modes; /* for its domain */
	struct judge_mailbox *box; /* by the number of the answer */
	size_t nbox, box_size;
	bool passed; /* the MTA delivers it as it is */
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

/* The modes for a domain; empty: of the site. */
void judge_modes(struct lookup *l, struct span domain,
		 struct policy_modes *m_r);

/* Of the client, with the account that its mail is charged to and the modes for
 * it: after the sender is known. */
void judge_client_facts(struct lookup *l, const struct judge_client *c,
			struct judge_message *m);

/* Of the sender, after the facts of the login. */
void judge_sender_facts(struct lookup *l, const struct judge_client *c,
			struct judge_message *m);

/* Is there a limit that one more recipient does not fit into? Of who sends
 * (LIMIT_OUT), or of a mailbox. The message has the words then. */
void judge_limit(struct judging *g, enum limit_direction d,
		 const struct addr *who, struct facts *f);

/* The recipient was accepted. */
void judge_limit_count(struct judging *g);

/* What a sender is told of it. */
void judge_limit_words(struct judge_message *m, const struct limits_line *line,
		       const struct limit_state *state);

/* judge_account.c: the account's own policy. Of who sends: where he may relay,
 * what his login may, how much at once, to whom and to how many; of a
 * recipient, as it was named or where it leads, what it takes, and of it the
 * largest size (0: any). */
bool judge_is_relay_port(const struct conf *c, unsigned port);
void judge_login_policy(struct lookup *l, const struct addr *who,
			struct login_facts *f);
void judge_sender_size(struct lookup *l, struct judge_message *m);
void judge_sender_scope(struct judging *g, struct rcpt_facts *f);
void judge_rcpt_policy(struct judging *g, const struct addr *a,
		       struct rcpt_facts *f, uint64_t *size_max_r);

/* A recipient of an active domain of ours: where it leads, and what becomes of
 * each end of the way. */
void judge_local(struct judging *g);

#endif
