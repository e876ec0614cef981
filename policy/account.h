/* policy/account.h: what an account may, beyond its row of the profile. */
#ifndef MAILROW_POLICY_ACCOUNT_H
#define MAILROW_POLICY_ACCOUNT_H

#include "lib/span.h"

/* To whom beyond our own domains an account may send. */
enum relay_scope {
	RELAY_YES,
	RELAY_INTERNAL, /* only what the MTA itself serves (mta_domains) */
	RELAY_LIST,     /* these, and the domains of a list */
	RELAY_NO
};

/* From whom a recipient takes mail. */
enum accept_from {
	ACCEPT_ANYONE,
	ACCEPT_INTERNAL, /* logins, trusted and webmail networks */
	ACCEPT_LIST      /* whom an access rule allows */
};

enum access { ACCESS_NONE, ACCESS_ALLOW, ACCESS_DENY };

/* Of an address, what is said of it, else of its domain, else of the site; all
 * that nobody speaks of is permitted. */
struct account_policy {
	bool suspended;
	bool expired;
	int64_t expires_at; /* seconds since the epoch, 0: never */
	bool may_send, may_receive;
	enum relay_scope relay;
	struct span relay_to; /* RELAY_LIST: see pattern_list_has() */
	enum accept_from accept_from;
	bool require_tls;        /* of mail to it */
	uint64_t max_size;       /* of mail to it; 0: any */
	uint64_t max_send_size;  /* of mail that it sends; 0: any */
	uint64_t max_recipients; /* of a message that it sends; 0: any */
};

/* Of struct account_policy, what a row says; the numbers first, in the order
 * of enum account_number. */
enum account_said {
	SAID_SUSPENDED = 1,
	SAID_EXPIRES_AT = 2,
	SAID_MAY_SEND = 4,
	SAID_MAY_RECEIVE = 8,
	SAID_REQUIRE_TLS = 16,
	SAID_MAX_SIZE = 32,
	SAID_MAX_SEND_SIZE = 64,
	SAID_MAX_RECIPIENTS = 128,
	SAID_RELAY = 256,
	SAID_RELAY_TO = 512,
	SAID_ACCEPT_FROM = 1024
};

#endif
