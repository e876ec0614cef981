/* sql/forget.c: see forget.h. A row that is added between the list and the
 * transaction goes untold. */
#include "sql/forget.h"
#include "sql/replay.h"

enum { TRIES = 10, PARAMS = 20 /* at least those of any row below */ };

/* What goes, the first being what it is all about. All parameters of these
 * statements are the name. */
static const enum query_id of_account[] = {
	Q_ACCOUNT_DELETE,   Q_ALIAS_DELETE_ALL, Q_APP_REVOKE_ALL,
	Q_HISTORY_FORGET,   Q_GRANT_FORGET,     Q_SAID_DELETE,
	Q_RULE_FORGET,      Q_LIMIT_FORGET,     Q_USAGE_FORGET,
	Q_RETENTION_DELETE,
};

static const enum query_id of_domain[] = {
	Q_DOMAIN_DELETE,        Q_DOMAIN_FREE,      Q_ALIAS_FORGET_ALL,
	Q_GRANT_FORGET_ALL,     Q_SAID_FORGET_ALL,  Q_RULE_FORGET_ALL,
	Q_LIMIT_FORGET_ALL,     Q_USAGE_FORGET_ALL, Q_MODE_FORGET_ALL,
	Q_RETENTION_FORGET_ALL,
};

struct forgetting {
	struct sqlval name[PARAMS];
	enum query_id list;
	const enum query_id *step;
	size_t n;
};

static void start(struct forgetting *f, struct span name)
{
	for (size_t i = 0; i < PARAMS; i++)
		f->name[i] = sql_bytes(name);
}

static enum db_result run_steps(struct db *db, const struct forgetting *f,
				bool *there_r)
{
	enum db_result r = DB_OK;

	*there_r = true;
	for (size_t i = 0; i < f->n && r == DB_OK && *there_r; i++) {
		r = db_run(db, f->step[i], f->name);
		if (i == 0)
			*there_r = r == DB_OK && db_affected(db) > 0;
		if (r == DB_OK)
			r = replay_fault(db, FAULT_FORGET_ROW);
	}
	return r;
}

static enum db_result attempt(struct db *db, const struct forgetting *f,
			      bool *there_r)
{
	enum db_result r = db_begin(db);

	if (r == DB_OK)
		r = run_steps(db, f, there_r);
	if (r == DB_OK && *there_r)
		return db_commit(db, FAULT_FORGET_UNREAD);
	return r;
}

static enum native_result forget(struct db *db, const struct forgetting *f,
				 native_row row, void *arg)
{
	enum native_result listed = native_list(db, f->list, f->name, row, arg);
	enum db_result r = DB_RETRY;
	bool there = false;

	if (listed != NATIVE_OK)
		return listed;
	for (int i = 0; i < TRIES && r == DB_RETRY; i++) {
		if (i > 0)
			replay_rest(i);
		r = attempt(db, f, &there);
		if (r != DB_OK || !there)
			db_rollback(db);
	}
	if (r != DB_OK)
		return NATIVE_FAILED;
	return there ? NATIVE_OK : NATIVE_NONE;
}

enum native_result forget_account(struct db *db, struct span address,
				  native_row row, void *arg)
{
	struct forgetting f = { .list = Q_ACCOUNT_GOES,
				.step = of_account,
				.n = sizeof(of_account) / sizeof(*of_account) };

	start(&f, address);
	return forget(db, &f, row, arg);
}

/* The statement itself spares a domain with accounts, so that an account that
 * is added at this moment is never left without one. */
enum native_result forget_domain(struct db *db, struct span domain,
				 native_row row, void *arg)
{
	struct forgetting f = { .list = Q_DOMAIN_GOES,
				.step = of_domain,
				.n = sizeof(of_domain) / sizeof(*of_domain) };
	enum native_result n;

	start(&f, domain);
	n = forget(db, &f, row, arg);
	if (n != NATIVE_NONE)
		return n;
	n = native_domain_exists(db, domain);
	return n == NATIVE_OK ? NATIVE_IN_USE : n;
}
