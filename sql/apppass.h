/* sql/apppass.h: application passwords of our own making (lib/apppass.h), for
 * the logins of every profile. They lie in the store. */
#ifndef MAILROW_SQL_APPPASS_H
#define MAILROW_SQL_APPPASS_H

#include "lib/apppass.h"
#include "sql/login.h"
#include "sql/native.h"

enum { APPPASS_LABEL_MAX = 64 };

struct apppass {
	uint64_t id;
	char login[ADDR_MAX + 1];
	bool bound; /* to one life of the account */
	char incarnation[INCARNATION_MAX + 1];
	bool smtp, pop3, expired;
	char networks[LOGIN_NETWORKS_MAX + 1]; /* "" = from everywhere */
};

/* By its hash. One row, found by an index. */
enum fact apppass_find(struct db *db, const uint8_t hash[APPPASS_HASH_SIZE],
		       struct apppass *a_r);

/* at: seconds since the epoch; an earlier use changes nothing. */
enum db_result apppass_used(struct db *db, uint64_t id, int64_t at,
			    struct span from)
	__attribute__((warn_unused_result));

/* For the tool. */
struct apppass_new {
	struct span login, label, networks;
	const char *incarnation; /* NULL: not known */
	bool smtp, pop3;
	uint64_t seconds; /* until it expires; 0: never */
};
enum native_result apppass_add(struct db *db, const struct apppass_new *n,
			       const uint8_t hash[APPPASS_HASH_SIZE]);

/* label, smtp, pop3, networks, expires_at, last_used_at, last_used_from,
 * created_at */
enum native_result apppass_list(struct db *db, struct span login,
				native_row row, void *arg);

/* label empty: all of them, and there may be none. */
enum native_result apppass_revoke(struct db *db, struct span login,
				  struct span label);

#endif
