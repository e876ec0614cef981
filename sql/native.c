/* sql/native.c: one statement a verb; each is its own transaction. */
#include "sql/native.h"

/* An UPDATE that changes nothing counts no row, so whether the row is there is
 * asked by itself. */
enum native_result native_change(struct db *db, enum query_id q,
				 const struct sqlval *param)
{
	switch (db_run(db, q, param)) {
	case DB_OK:
		return db_affected(db) > 0 ? NATIVE_OK : NATIVE_NONE;
	case DB_DUP:
		return NATIVE_EXISTS;
	case DB_RETRY:
	case DB_DOWN:
	case DB_OURS:
		break;
	}
	return NATIVE_FAILED;
}

static enum native_result run_list(struct db *db, enum query_id q,
				   const struct sqlval *param, native_row row,
				   void *arg)
{
	struct sqlval col[DB_COLUMNS_MAX];
	enum db_result r;
	bool got, any = false;

	r = db_run(db, q, param);
	while (r == DB_OK) {
		r = db_fetch(db, q, col, &got);
		if (r != DB_OK || !got)
			break;
		any = true;
		if (!row(arg, col))
			break;
	}
	db_done(db, q);
	if (r != DB_OK)
		return NATIVE_FAILED;
	return any ? NATIVE_OK : NATIVE_NONE;
}

static bool no_row(void *arg, const struct sqlval *col)
{
	(void)arg;
	(void)col;
	return false;
}

enum native_result native_domain_exists(struct db *db, struct span domain)
{
	struct sqlval param[] = { sql_bytes(domain) };

	return run_list(db, Q_DOMAIN_SHOW, param, no_row, NULL);
}

static enum native_result account_exists(struct db *db, const struct addr *a)
{
	struct sqlval param[] = { sql_bytes(addr_span(a)) };

	return run_list(db, Q_ACCOUNT_SHOW, param, no_row, NULL);
}

enum native_result native_domain_add(struct db *db, struct span domain)
{
	struct sqlval param[] = { sql_bytes(domain) };

	return native_change(db, Q_DOMAIN_ADD, param);
}

enum native_result native_domain_set_active(struct db *db, struct span domain,
					    bool active)
{
	struct sqlval param[] = { sql_u64(active), sql_bytes(domain) };
	enum native_result r;

	r = native_change(db, Q_DOMAIN_SET_ACTIVE, param);
	return r == NATIVE_NONE ? native_domain_exists(db, domain) : r;
}

enum native_result native_domain_set_alias(struct db *db, struct span domain,
					   struct span alias_of)
{
	struct sqlval param[] = { sql_bytes(alias_of), sql_bytes(domain) };
	enum native_result r;

	if (alias_of.n > 0) {
		r = native_domain_exists(db, alias_of);
		if (r != NATIVE_OK)
			return r == NATIVE_NONE ? NATIVE_NO_DOMAIN : r;
	}
	r = native_change(db, Q_DOMAIN_SET_ALIAS, param);
	return r == NATIVE_NONE ? native_domain_exists(db, domain) : r;
}

enum native_result native_alias_add(struct db *db, struct span address,
				    struct span target)
{
	struct span domain = address;
	struct sqlval param[3] = { sql_bytes(address), sql_bytes(target) };
	enum native_result r;

	for (size_t i = 0; i < address.n; i++)
		if (address.p[i] == '@')
			domain = span_skip(address, i + 1);
	param[2] = sql_bytes(domain);
	r = native_change(db, Q_ALIAS_ADD, param);
	return r == NATIVE_NONE ? NATIVE_NO_DOMAIN : r;
}

enum native_result native_alias_delete(struct db *db, struct span address,
				       struct span target)
{
	struct sqlval param[] = { sql_bytes(address), sql_bytes(target) };

	return native_change(
		db, target.n > 0 ? Q_ALIAS_DELETE : Q_ALIAS_DELETE_ALL, param);
}

enum native_result native_account_add(struct db *db, const struct addr *a,
				      struct span hash, uint64_t quota)
{
	struct sqlval param[] = { sql_bytes(addr_span(a)), sql_bytes(hash),
				  sql_u64(quota), sql_bytes(addr_domain(a)) };
	enum native_result r;

	r = native_change(db, Q_ACCOUNT_ADD, param);
	return r == NATIVE_NONE ? NATIVE_NO_DOMAIN : r;
}

static enum native_result account_change(struct db *db, enum query_id q,
					 struct sqlval value,
					 const struct addr *a)
{
	struct sqlval param[] = { value, sql_bytes(addr_span(a)) };
	enum native_result r;

	r = native_change(db, q, param);
	return r == NATIVE_NONE ? account_exists(db, a) : r;
}

enum native_result native_account_set_password(struct db *db,
					       const struct addr *a,
					       struct span hash)
{
	return account_change(db, Q_ACCOUNT_SET_PASSWORD, sql_bytes(hash), a);
}

enum native_result native_account_set_active(struct db *db,
					     const struct addr *a, bool active)
{
	return account_change(db, Q_ACCOUNT_SET_ACTIVE, sql_u64(active), a);
}

enum native_result native_account_set_quota(struct db *db, const struct addr *a,
					    uint64_t quota)
{
	return account_change(db, Q_ACCOUNT_SET_QUOTA, sql_u64(quota), a);
}

enum native_result native_account_set_door(struct db *db, const struct addr *a,
					   enum native_door door, bool on)
{
	static const enum query_id q[] = {
		[NATIVE_SMTP] = Q_ACCOUNT_SET_SMTP,
		[NATIVE_POP3] = Q_ACCOUNT_SET_POP3,
		[NATIVE_TLS_ONLY] = Q_ACCOUNT_SET_TLS,
	};

	return account_change(db, q[door], sql_u64(on), a);
}

enum native_result native_account_set_networks(struct db *db,
					       const struct addr *a,
					       struct span networks)
{
	return account_change(db, Q_ACCOUNT_SET_NETWORKS, sql_bytes(networks),
			      a);
}

/* An empty list is an answer too. */
enum native_result native_list(struct db *db, enum query_id q,
			       const struct sqlval *param, native_row row,
			       void *arg)
{
	enum native_result r = run_list(db, q, param, row, arg);

	return r == NATIVE_NONE ? NATIVE_OK : r;
}

enum native_result native_domain_list(struct db *db, native_row row, void *arg)
{
	return native_list(db, Q_DOMAIN_LIST, NULL, row, arg);
}

enum native_result native_account_list(struct db *db, struct span domain,
				       native_row row, void *arg)
{
	struct sqlval param[] = { sql_bytes(domain), sql_bytes(domain) };

	return native_list(db, Q_ACCOUNT_LIST, param, row, arg);
}

enum native_result native_account_show(struct db *db, const struct addr *a,
				       native_row row, void *arg)
{
	struct sqlval param[] = { sql_bytes(addr_span(a)) };

	return run_list(db, Q_ACCOUNT_SHOW, param, row, arg);
}

enum native_result native_mailbox_list(struct db *db, struct span domain,
				       native_row row, void *arg)
{
	struct sqlval param[] = { sql_bytes(domain), sql_bytes(domain) };

	return native_list(db, Q_MAILBOX_LIST, param, row, arg);
}

enum native_result native_mailbox_retired(struct db *db, struct span domain,
					  native_row row, void *arg)
{
	struct sqlval param[] = { sql_bytes(domain), sql_bytes(domain) };

	return native_list(db, Q_MAILBOX_RETIRED, param, row, arg);
}

enum native_result native_mailbox_show(struct db *db, const struct addr *a,
				       native_row row, void *arg)
{
	struct sqlval param[] = { sql_bytes(addr_span(a)) };

	return run_list(db, Q_MAILBOX_SHOW, param, row, arg);
}

enum native_result native_mail_list(struct db *db, const struct addr *a,
				    native_row row, void *arg)
{
	struct sqlval param[] = { sql_bytes(addr_span(a)) };

	return native_list(db, Q_MAIL_LIST, param, row, arg);
}

enum native_result native_alias_list(struct db *db, struct span what,
				     native_row row, void *arg)
{
	struct sqlval param[] = { sql_bytes(what), sql_bytes(what),
				  sql_bytes(what) };

	return native_list(db, Q_ALIAS_LIST, param, row, arg);
}

enum native_result native_retention_list(struct db *db, native_row row,
					 void *arg)
{
	return native_list(db, Q_RETENTION_LIST, NULL, row, arg);
}

enum native_result native_served_list(struct db *db, native_row row, void *arg)
{
	return native_list(db, Q_SERVED_LIST, NULL, row, arg);
}
