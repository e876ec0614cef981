/* sql/accounts.h: asks the site's tables through its profile. */
#ifndef MAILROW_SQL_ACCOUNTS_H
#define MAILROW_SQL_ACCOUNTS_H

#include "lib/addr.h"
#include "lib/fact.h"
#include "sql/db.h"
#include "sql/profile.h"

enum { INCARNATION_MAX = 64 };

struct domain_facts {
	enum fact ours;
	enum fact active;
	char alias_of[ADDR_DOMAIN_MAX + 1]; /* "" = no alias domain */
};

/* domain is canonical. */
void accounts_domain(struct db *db, const struct profile *p, struct span domain,
		     struct domain_facts *f_r);

struct mailbox_facts {
	enum fact known;
	enum fact active;
	bool senseless; /* F_TEMP for its row's own sake, not the query's */
	uint64_t quota; /* octets, 0 = none */
	char incarnation[INCARNATION_MAX + 1];
	struct addr name; /* as stored, equal to the asked one */
};

/* A returned name that is not the asked one byte for byte is no match and is
 * logged (folding collations). */
void accounts_mailbox(struct db *db, const struct profile *p,
		      const struct addr *a, struct mailbox_facts *f_r);

enum { ALIAS_ROWS_MAX = 1000, SENDER_ROWS_MAX = 1000 };

/* Where a canonical address, or "@domain" (the catch-all), goes: target(arg,
 * text) for each row, in the rows' order, with text valid during the call; a
 * false from it ends the query. It must not use db. text holds one address or
 * several (split at comma, blank, newline); empty ones are not passed. F_YES:
 * at least one row; F_NO: none, or the profile knows no aliases; F_TEMP:
 * cannot tell, as with more than ALIAS_ROWS_MAX rows (target may have been
 * called). */
enum fact accounts_alias(struct db *db, const struct profile *p,
			 struct span name,
			 bool (*target)(void *arg, struct span text),
			 void *arg);

/* May this login send as this address? F_NO also when the profile knows no
 * senders (profile.h: the query's n is 0). */
enum fact accounts_sender(struct db *db, const struct profile *p,
			  const struct addr *login, const struct addr *sender);

#endif
