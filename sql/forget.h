/* sql/forget.h: an account or a domain of ours goes, and with it what was set
 * by its name, so that nothing of it waits for a later owner of the name. */
#ifndef MAILROW_SQL_FORGET_H
#define MAILROW_SQL_FORGET_H

#include "sql/native.h"

/* The account, its aliases, application passwords and logins, its grants and
 * those to send as it, its policy, the access rules of its mailbox, its limits
 * and its retention, in one transaction. First row(arg, columns) is called for
 * each but the logins: what it is, whose, and its value; it counts only when
 * NATIVE_OK is returned. Rules of others that name the account stay. */
enum native_result forget_account(struct db *db, struct span address,
				  native_row row, void *arg);

/* The same of a domain without accounts and of all its addresses, and the
 * domain's policy modes; domains that stood for it stand for themselves. */
enum native_result forget_domain(struct db *db, struct span domain,
				 native_row row, void *arg);

#endif
