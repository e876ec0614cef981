/* sql/accounts.h: asks the site's tables through its profile. */
#ifndef MAILROW_SQL_ACCOUNTS_H
#define MAILROW_SQL_ACCOUNTS_H

#include "lib/addr.h"
#include "lib/fact.h"
#include "sql/db.h"
#include "sql/profile.h"

enum { INCARNATION_MAX = 64, PASSWORD_HASH_MAX = 1024, LOGIN_ROWS_MAX = 16 };

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
	uint64_t quota; /* octets, 0 = none */
	char incarnation[INCARNATION_MAX + 1];
	struct addr name; /* as stored, equal to the asked one */
};

/* A returned name that is not the asked one byte for byte is no match and is
 * logged (folding collations). */
void accounts_mailbox(struct db *db, const struct profile *p,
		      const struct addr *a, struct mailbox_facts *f_r);

struct login_row {
	struct addr login;
	struct addr mailbox;
	char hash[PASSWORD_HASH_MAX + 1];
	bool active, smtp, pop3;
	char incarnation[INCARNATION_MAX + 1];
};

/* All rows of a login, at most LOGIN_ROWS_MAX. F_YES: *n_r >= 1. The caller
 * wipes the rows. */
enum fact accounts_login(struct db *db, const struct profile *p,
			 const struct addr *login, struct login_row *row_r,
			 size_t *n_r);

#endif
