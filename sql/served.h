/* sql/served.h: which recipients are served: the table served names domains
 * and single addresses; the address counts before its domain. */
#ifndef MAILROW_SQL_SERVED_H
#define MAILROW_SQL_SERVED_H

#include "lib/addr.h"
#include "sql/db.h"

enum served_mode { SERVED_DEFAULT, SERVED_PASS, SERVED_MIRROR, SERVED_STORE };

/* Of "pass", "mirror" and "store"; SERVED_DEFAULT: none of them. */
enum served_mode served_mode_of(struct span name);

/* SERVED_DEFAULT: neither the address nor its domain stands there. */
enum db_result served_get(struct db *db, const struct addr *a,
			  enum served_mode *mode_r)
	__attribute__((warn_unused_result));

/* For the tool: name is a canonical domain or address; SERVED_DEFAULT removes
 * it. */
enum db_result served_set(struct db *db, struct span name,
			  enum served_mode mode)
	__attribute__((warn_unused_result));

#endif
