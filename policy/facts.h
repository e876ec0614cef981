/* policy/facts.h: what a decision is made of. All zero is a stranger of whom
 * nothing bad is known, and a recipient who is none of ours. */
#ifndef MAILROW_POLICY_FACTS_H
#define MAILROW_POLICY_FACTS_H

#include <stdint.h>

#include "lib/fact.h"
#include "policy/account.h"

/* Who speaks to the MTA. */
struct client_facts {
	enum fact blocked;
	enum fact trusted;
	enum fact webmail; /* speaks for its users */
	enum fact partner; /* may use our domains as sender */
	bool authenticated;
	bool tls;
	bool relay_port;       /* relaying is permitted on this port */
	bool helo_ours;        /* greets with our name or address */
	enum fact helo_served; /* greets with a domain of ours */
};

/* Whom its mail is charged to: who has logged in, or the sender of a webmail
 * network. */
struct login_facts {
	enum fact known; /* the profile has it */
	bool was_known;  /* earlier in this session; else F_NO means that it
			  * is none of the profile's, so not ours to judge */
	enum fact active;
	enum fact smtp; /* the door is open */
	enum fact tls_only;
	enum fact suspended;
	enum fact expired;
	enum fact receive_only;
};

struct mail_facts {
	bool null_sender;
	enum fact alien;     /* the sender does not belong to the login */
	enum fact ours;      /* its domain is ours */
	enum fact nobody;    /* it is no address of ours */
	enum fact too_large; /* for what the account may send at once */
};

/* The recipient, or one of the mailboxes that it leads to. */
struct rcpt_facts {
	bool syntax_ok;
	enum fact local; /* the domain is ours */
	enum fact domain_active;
	enum fact known; /* a mailbox of this name exists */
	enum fact active;
	enum fact suspended;
	enum fact expired;
	enum fact send_only;
	enum access access;       /* what the rules say of the sender */
	enum accept_from accepts; /* from whom it takes mail */
	enum fact needs_tls;
	enum fact too_large; /* for what it takes at once */
	enum fact room;      /* the quota takes the declared size */
	bool mta_domain;     /* the MTA serves or relays the domain */
	enum relay_scope scope;
	bool in_scope; /* RELAY_LIST: the domain is of the list */
	enum fact one_too_many;
	enum fact rules; /* F_TEMP: what is said of access, accepts and scope
			  * is not known */
};

/* The addresses of a message's header. */
struct header_facts {
	bool several;           /* addresses in From, or none */
	enum fact from_alien;   /* one of them is not the login's */
	enum fact from_ours;    /* one of them is of a domain of ours */
	enum fact sender_alien; /* the address in Sender is not the login's */
	enum fact resent_alien; /* one in Resent-From or -Sender is not */
};

struct facts {
	struct client_facts client;
	struct login_facts login;
	struct mail_facts mail;
	struct rcpt_facts rcpt;
	struct header_facts header;
	enum fact limit_out; /* reached */
	enum fact limit_in;
	bool over_quota_hard; /* options: reject, not defer */
	bool limit_hard;
};

#endif
