/* sql/login.h: what the site's tables say of a login: its passwords, its
 * doors, and whether it is open at all. */
#ifndef MAILROW_SQL_LOGIN_H
#define MAILROW_SQL_LOGIN_H

#include "sql/accounts.h"

enum {
	PASSWORD_HASH_MAX = 1024,
	LOGIN_NETWORKS_MAX = 1024,
	LOGIN_ROWS_MAX = 9 /* the account's own password, and 8 others */
};

/* The numbers are those of the columns smtp and pop3. */
enum login_door { LOGIN_CLOSED, LOGIN_OPEN, LOGIN_TLS_ONLY };

struct login_state {
	bool active;
	bool expired;
	enum login_door smtp, pop3;
};

/* What state_query says. */
struct login_look {
	struct login_state state;
	char incarnation[INCARNATION_MAX + 1];
};

struct login_row {
	struct addr login;
	struct addr mailbox;
	char hash[PASSWORD_HASH_MAX + 1];
	struct login_state state;
	char networks[LOGIN_NETWORKS_MAX + 1]; /* "" = from everywhere */
	char incarnation[INCARNATION_MAX + 1];
};

/* The rows of a login in the query's order, at most LOGIN_ROWS_MAX; more_r:
 * there are others. F_YES: *n_r >= 1. The caller wipes the rows. */
enum fact login_find(struct db *db, const struct profile *p,
		     const struct addr *login, struct login_row *row_r,
		     size_t *n_r, bool *more_r);

/* The same without a password, by state_query, which the profile must have
 * (profile.h: the query's n). Of several rows the first counts. */
enum fact login_look(struct db *db, const struct profile *p,
		     const struct addr *login, struct login_look *l_r);

/* Puts another hash in the place of row->hash, by rehash_query, which the
 * profile must have. DB_OK and *changed_r = false: the old one is there no
 * more. */
enum db_result login_rehash(struct db *db, const struct profile *p,
			    const struct login_row *row, struct span hash,
			    bool *changed_r)
	__attribute__((warn_unused_result));

#endif
