/* policy/judge.h: the thin shell around the policy: fetches the facts from
 * sql/ and asks the pure code. The milter, lmtpd and the tool call the same
 * judge. */
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

	/* Told each question that went to the database and the microseconds
	 * it took; NULL: nobody wants to know. */
	void (*note)(void *arg, const char *question, struct span key,
		     int64_t us);
	void *note_arg;
};

/* What the one who asks is there for. */
enum judge_role {
	JUDGE_FULL,   /* decides and stores */
	JUDGE_POLICY, /* decides, never stores */
	JUDGE_STORE   /* stores; of recipients it decides only whether they are
		       * there: policy was applied before */
};

/* Who asks. */
struct judge_client {
	enum judge_role role;
	struct ipaddr addr;
	bool has_addr;
	bool authenticated;
	struct addr login; /* who that is; n 0: not told, or no address */
	bool *login_known; /* kept as long as the login: the profile had it
			    * once; NULL: nobody keeps it */
};

/* What becomes of one of the addresses that a recipient leads to. */
enum judged_kind {
	JUDGED_STORE,
	JUDGED_MIRROR,  /* stored, and goes on to the MTA */
	JUDGED_PASS,    /* a mailbox of ours that the MTA delivers */
	JUDGED_FOREIGN, /* goes on to the MTA */
	JUDGED_FULL,    /* over its quota, but others are not */
	JUDGED_LEFT_OUT /* cannot be delivered, but others can */
};

struct judged_target {
	enum judged_kind kind;
	bool itself; /* goes on, and is the recipient itself, perhaps without
		      * its extension: the MTA has it already */
	struct addr address; /* canonical; of a mailbox as stored */
	struct box box;      /* STORE, MIRROR, FULL */
	uint64_t quota;      /* octets, 0 = none */
	struct verdict why;  /* FULL, LEFT_OUT */
};

struct judged_rcpt {
	struct verdict verdict;
	bool ours; /* of a domain of ours */
	bool keep; /* the recipient stays in the envelope as it is: the MTA
		    * has to deliver it too, or alone (n = 0) */
	struct judged_target *target; /* of an accepted recipient */
	size_t n;
};

/* May the client send at all? sender is the path of MAIL without <>, size the
 * declared SIZE= (0 = not told). Who has not logged in costs no question.
 * Answers by the deadline. The login is judged again with each recipient: it
 * may be closed between. */
void judge_mail(const struct judge *j, const struct judge_client *c,
		struct span sender, uint64_t size, int64_t deadline,
		struct verdict *v_r);

/* rcpt is the recipient as the MTA rewrote it, size the declared SIZE= (0 =
 * not told). Answers by the deadline. The caller releases the result. */
void judge_rcpt(const struct judge *j, const struct judge_client *c,
		struct span rcpt, uint64_t size, int64_t deadline,
		struct judged_rcpt *r);
void judged_release(struct judged_rcpt *r);

/* True if the mailbox behind a target is to be stored in. */
static inline bool judged_stores(const struct judged_target *t)
{
	return t->kind == JUDGED_STORE || t->kind == JUDGED_MIRROR;
}

/* True if the MTA has to deliver to a target. */
static inline bool judged_goes_on(const struct judged_target *t)
{
	return t->kind == JUDGED_MIRROR || t->kind == JUDGED_PASS ||
	       t->kind == JUDGED_FOREIGN;
}

/* True if a mailbox that it leads to is full, while others are not. */
bool judged_has_full(const struct judged_rcpt *r);

/* "store", "mirror" ... */
const char *judged_kind_name(enum judged_kind kind);

#endif
