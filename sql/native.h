/* sql/native.h: the product's own account tables, for the tool, and what it
 * lists of the store. */
#ifndef MAILROW_SQL_NATIVE_H
#define MAILROW_SQL_NATIVE_H

#include "lib/addr.h"
#include "sql/db.h"

enum native_result {
	NATIVE_OK,
	NATIVE_NONE, /* no such domain, account or mailbox */
	NATIVE_EXISTS,
	NATIVE_NO_DOMAIN, /* the address's domain is not there */
	NATIVE_IN_USE,    /* the domain still has accounts */
	NATIVE_FAILED     /* db_why() tells */
};

enum native_result native_domain_add(struct db *db, struct span domain);
enum native_result native_domain_set_active(struct db *db, struct span domain,
					    bool active);

/* NATIVE_OK or NATIVE_NONE. */
enum native_result native_domain_exists(struct db *db, struct span domain);

enum native_result native_account_add(struct db *db, const struct addr *a,
				      struct span hash, uint64_t quota);
enum native_result native_account_set_password(struct db *db,
					       const struct addr *a,
					       struct span hash);
enum native_result native_account_set_active(struct db *db,
					     const struct addr *a, bool active);
enum native_result native_account_set_quota(struct db *db, const struct addr *a,
					    uint64_t quota);
enum native_door { NATIVE_SMTP, NATIVE_POP3, NATIVE_TLS_ONLY };
enum native_result native_account_set_door(struct db *db, const struct addr *a,
					   enum native_door door, bool on);
enum native_result native_account_set_networks(struct db *db,
					       const struct addr *a,
					       struct span networks);

/* alias_of is canonical, empty: it stands for itself again. */
enum native_result native_domain_set_alias(struct db *db, struct span domain,
					   struct span alias_of);

/* address and target are canonical addresses, or "@domain". */
enum native_result native_alias_add(struct db *db, struct span address,
				    struct span target);

/* target empty: all of them. */
enum native_result native_alias_delete(struct db *db, struct span address,
				       struct span target);

/* Lists call row(arg, columns) in the order of the query's columns; a false
 * ends them. */
typedef bool (*native_row)(void *arg, const struct sqlval *col);

/* A statement that changes rows; NATIVE_NONE: nothing was changed. */
enum native_result native_change(struct db *db, enum query_id q,
				 const struct sqlval *param);

/* A statement that lists: an empty list is an answer, too. */
enum native_result native_list(struct db *db, enum query_id q,
			       const struct sqlval *param, native_row row,
			       void *arg);

/* name, active, alias_of, accounts, created_at */
enum native_result native_domain_list(struct db *db, native_row row, void *arg);

/* address, active, smtp, pop3, tls_only, networks, quota, messages, octets,
 * last login, client, created_at; of one domain, or of all when it is empty */
enum native_result native_account_list(struct db *db, struct span domain,
				       native_row row, void *arg);
enum native_result native_account_show(struct db *db, const struct addr *a,
				       native_row row, void *arg);

/* address, target, created_at; what is an address, "@domain" or a domain,
 * empty = all */
enum native_result native_alias_list(struct db *db, struct span what,
				     native_row row, void *arg);

/* name, mode (served.h) */
enum native_result native_served_list(struct db *db, native_row row, void *arg);

/* name, days (retention.h) */
enum native_result native_retention_list(struct db *db, native_row row,
					 void *arg);

/* mailbox_id, address, messages, octets, created_at, last login */
enum native_result native_mailbox_list(struct db *db, struct span domain,
				       native_row row, void *arg);
enum native_result native_mailbox_show(struct db *db, const struct addr *a,
				       native_row row, void *arg);

/* mailbox_id, former address, messages, octets, created_at, retired_at */
enum native_result native_mailbox_retired(struct db *db, struct span domain,
					  native_row row, void *arg);

/* uid, uidl, octets, sender, received_at */
enum native_result native_mail_list(struct db *db, const struct addr *a,
				    native_row row, void *arg);

#endif
