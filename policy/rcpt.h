/* policy/rcpt.h: may this recipient have the mail? Pure: facts in, verdict
 * out. The order of the predicates is the policy. */
#ifndef MAILROW_POLICY_RCPT_H
#define MAILROW_POLICY_RCPT_H

#include "lib/fact.h"
#include "lib/reply.h"

struct rcpt_facts {
	bool syntax_ok;
	enum fact local; /* the domain is ours */
	enum fact domain_active;
	enum fact known; /* a mailbox of this name exists */
	enum fact active;
	enum fact room;       /* the quota takes the declared size */
	bool mta_domain;      /* the MTA serves or relays the domain */
	bool mta_domains_set; /* else the relay check is in shadow */
	bool authenticated;
	bool trusted; /* client in trusted_networks */
};

struct verdict {
	enum reply_id id;      /* R_NONE: accepted */
	const char *predicate; /* who decided, "" for R_NONE */
	const char *shadow;    /* who would have, in shadow; "" = none */
};

struct verdict policy_rcpt(const struct rcpt_facts *f);

#endif
