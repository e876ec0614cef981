/* sql/history.h: from which networks an account logs in, in the store. A
 * network is text as network_around() makes it: "192.0.2.0/24". */
#ifndef MAILROW_SQL_HISTORY_H
#define MAILROW_SQL_HISTORY_H

#include "lib/addr.h"
#include "sql/native.h"

enum { HISTORY_ROWS_MAX = 64 }; /* of one account */

struct history_login {
	const struct addr *login;
	struct span network; /* "" = the client's address was not told */
	struct span door;
	int64_t first_at, last_at; /* seconds since the epoch */
	uint64_t logins;
};

/* Of the account's rows the HISTORY_ROWS_MAX with the latest logins stay. */
enum db_result history_put(struct db *db, const struct history_login *h)
	__attribute__((warn_unused_result));

/* Drops some of the rows without a login for so long. */
enum db_result history_age(struct db *db, int64_t seconds)
	__attribute__((warn_unused_result));

struct history_facts {
	uint64_t networks;  /* from which there were logins in the window */
	bool known;         /* the network was seen before */
	uint64_t known_for; /* seconds since its first login; 0: not known */
};

/* What the history says of a login that comes from this network. */
enum db_result history_facts(struct db *db, struct span login,
			     struct span network, uint64_t window_s,
			     struct history_facts *f_r)
	__attribute__((warn_unused_result));

/* network, door, logins, first_at, last_at; the latest first */
enum native_result history_list(struct db *db, struct span login,
				native_row row, void *arg);
enum native_result history_forget(struct db *db, struct span login);

#endif
