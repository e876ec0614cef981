/* policy/judge.h: the thin shell around the policy: fetches the facts from
 * sql/ and asks the pure code. The milter, lmtpd and the tool call the same
 * judge. A mail goes through judge_mail() and a judge_rcpt() a recipient. */
#ifndef MAILROW_POLICY_JUDGE_H
#define MAILROW_POLICY_JUDGE_H

#include "lib/addr.h"
#include "policy/authors.h"
#include "policy/judge_memory.h"
#include "policy/limits.h"
#include "policy/predicate.h"
#include "policy/underway.h"
#include "sql/accounts.h"
#include "sql/pool.h"

struct judged_target;

/* What stays the same for all decisions under one configuration. accounts may
 * be the same pool as store. */
struct judge {
	const struct conf *conf;
	const struct profile *profile;
	struct pool *store;
	struct pool *accounts;
	struct judge_memory *memory;
	struct policy_data *policy; /* refresh.h */
	struct underway *underway;  /* NULL: nothing is promised */

	/* Told each question that went to the database and the microseconds
	 * it took; NULL: nobody wants to know. */
	void (*note)(void *arg, const char *question, struct span key,
		     int64_t us);
	void *note_arg;

	/* Told that the predicates of a stage are tried, each that is, and what
	 * becomes of each target; NULL as above. */
	void (*began)(void *arg, unsigned stage);
	policy_tried tried;
	void (*found)(void *arg, const struct judged_target *t);
	void *tried_arg;

	bool look_only; /* nothing is made or changed for an answer */
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
	bool tls;
	unsigned port;      /* of the MTA that it came to, 0 = not told */
	struct ipaddr self; /* likewise its address */
	bool has_self;
	struct span helo;
	struct span mta; /* the MTA's own name, which is ours */
	bool authenticated;
	struct addr login; /* who that is; n 0: not told, or no address */
	bool *login_known; /* kept as long as the login: the profile had it
			    * once; NULL: nobody keeps it */
};

enum { LIMITED_TEXT_MAX = 160 };

/* What the decisions about one mail share. All zero: nothing was said of MAIL,
 * as where mail is only stored. */
struct judge_message {
	uint64_t size; /* SIZE=, 0 = not told */
	bool null_sender;
	struct addr sender;        /* n 0: null, or no address */
	struct addr named;         /* for rules: the sender, or of one that is
				    * no address "@" and its domain; n 0: null */
	struct addr subject;       /* who sends: the login, or the sender of a
				    * webmail network; n 0: a stranger */
	struct facts facts;        /* of the client, the login and the sender */
	struct policy_modes modes; /* of the sender's predicates */
	char forged[ADDR_DOMAIN_MAX + 1]; /* the domain of ours in From whose
					   * mode decided; "" none */
	bool guarded;                     /* from_forged is on for somebody */
	struct limits limits;
	bool only_stored; /* JUDGE_STORE: whoever rejects it for good makes
			   * the MTA bounce what it had accepted */
	bool unlimited;   /* no limit counts it */
	char limited[ADDR_MAX + 1]; /* whom the limit counts that was reached */
	char limited_text[LIMITED_TEXT_MAX]; /* which, and when it frees */
	uint64_t size_max;                   /* that who sends may; 0: any */
	uint64_t nrcpt;                      /* accepted so far */
	struct holding holding; /* room that its recipients were promised */
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
	bool itself;   /* goes on, and is the recipient itself, perhaps without
			* its extension: the MTA has it already */
	bool may_pass; /* mirrored: where there is no room for our copy the
			* mail goes on without it (PASS) */
	struct addr address; /* canonical; of a mailbox as stored */
	struct box box;      /* STORE, MIRROR, FULL */
	uint64_t quota;      /* octets, 0 = none */
	uint64_t size_max;   /* that it takes at once, 0 = any */
	struct verdict why;  /* FULL, LEFT_OUT */
};

struct judged_rcpt {
	struct verdict verdict;
	bool ours; /* of a domain of ours */
	bool keep; /* the recipient stays in the envelope as it is: the MTA
		    * has to deliver it too, or alone (n = 0) */
	uint64_t size_max; /* that it takes at once as it was named, 0 = any */
	uint64_t room;     /* judged_keep(): of its mailbox, 0 = any */
	struct judged_target *target; /* of an accepted recipient */
	size_t n;
};

/* m_r is all zero, or released; the caller releases it.
 * May the client send at all? sender is the path of MAIL without <>, size the
 * declared SIZE=. Answers by the deadline. The login is judged again with each
 * recipient: it may be closed between. */
void judge_mail(const struct judge *j, const struct judge_client *c,
		struct span sender, uint64_t size, int64_t deadline,
		struct judge_message *m_r, struct verdict *v_r);

/* After judge_mail(), or of one that is all zero. */
void judge_message_release(struct judge_message *m);

/* rcpt is the recipient as the MTA rewrote it. Answers by the deadline. The
 * caller releases the result. */
void judge_rcpt(const struct judge *j, const struct judge_client *c,
		struct judge_message *m, struct span rcpt, int64_t deadline,
		struct judged_rcpt *r);

/* Must judge_headers() see the header of this mail? It is then not one that is
 * accepted before its content. */
bool judge_wants_headers(const struct judge_client *c,
			 const struct judge_message *m);

/* May it bear these authors? At end of message, before anything is stored. */
void judge_headers(const struct judge *j, const struct judge_client *c,
		   struct judge_message *m, const struct authors *a,
		   int64_t deadline, struct verdict *v_r);
void judged_release(struct judged_rcpt *r);

/* The mail has come to its end, and has so many octets, whatever was declared:
 * may its sender send them? Of the recipients see intake_sizes(). */
void judge_end(const struct judge *j, const struct judge_client *c,
	       struct judge_message *m, uint64_t octets, struct verdict *v_r);

/* A mail was not committed because one of these charges did not fit: the reply,
 * with its words in the message. */
enum reply_id judge_limit_reached(struct judge_message *m,
				  const struct charges *c);

/* For the texts of replies; valid as long as both arguments. */
void judge_words(const struct judge_client *c, const struct judge_message *m,
		 struct reply_words *w_r);

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

/* True if it leads to one that the MTA has to deliver, or is not known to lead
 * anywhere else. */
bool judged_rcpt_goes_on(const struct judged_rcpt *r);

/* The first mailbox that it leads to that is full, while others are not; NULL:
 * none is. */
const struct judged_target *judged_full(const struct judged_rcpt *r);

static inline bool judged_has_full(const struct judged_rcpt *r)
{
	return judged_full(r) != NULL;
}

/* True if one that it leads to shall not have the mail, by a rule that is not
 * asked where mail is only stored: it cannot be left to the MTA as it is, which
 * would come back with it there. */
bool judged_denies(const struct judged_rcpt *r);

/* The recipient is left to the MTA as it is; where it leads is forgotten, but
 * for the size that its mailbox takes, and has room for. */
void judged_keep(struct judged_rcpt *r);

/* Is this why somebody cannot have the mail yet, and may have it later? */
bool judge_may_wait(enum reply_id id);

/* Those go without it. */
void judged_leave_out_full(struct judged_rcpt *r);

/* "store", "mirror" ... */
const char *judged_kind_name(enum judged_kind kind);

/* "full", "policy", "store"; false: none of them. */
const char *judge_role_name(enum judge_role role);
bool judge_role_find(struct span name, enum judge_role *role_r);

#endif
