/* ctl/checkprofile.c: the queries over the site's own tables. */
#include "ctl/check.h"

#include <inttypes.h>
#include <stdio.h>

#include "sql/explain.h"

/* Which daemon asks which query. */
struct profile_test {
	struct check_daemon daemon;
	const struct profile *profile;
	unsigned queries; /* bits of enum profile_query */
};

static bool has_name(char (*name)[64], size_t n, const char *want)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(name[i], want) == 0)
			return true;
	return false;
}

/* False after a finding. */
static bool test_columns(struct check *k, struct db *db, enum profile_query q,
			 const struct profile_statement *s)
{
	char name[DB_SITE_COLUMNS][64];
	size_t n, i, required;
	const char *const *want = profile_columns(q, &required);

	if (db_site_columns(db, (unsigned)q, span_make(s->text, s->n), name,
			    DB_SITE_COLUMNS, &n) != DB_OK) {
		check_say(k, CHECK_FAIL, "profile", "",
			  "%s (line %u) does not prepare: %s",
			  profile_query_name(q), s->line, db_why(db));
		return false;
	}
	for (i = 0; i < required; i++)
		if (!has_name(name, n, want[i])) {
			check_say(k, CHECK_FAIL, "profile", "",
				  "%s (line %u) yields no column '%s'",
				  profile_query_name(q), s->line, want[i]);
			return false;
		}
	return true;
}

/* A small table is read from end to end for good reasons. */
enum { SCAN_ROWS_MIN = 100 };

static void test_plan(struct check *k, struct db *db, enum profile_query q,
		      const struct profile_statement *s)
{
	struct explain e;

	if (explain_profile(db, s, &e) != DB_OK)
		check_say(k, CHECK_WARN, "profile", "",
			  "%s cannot be explained: %s", profile_query_name(q),
			  db_why(db));
	else if (e.full_scan && e.rows >= SCAN_ROWS_MIN)
		check_say(k, CHECK_WARN, "profile", "",
			  "%s reads all of table '%s' (%" PRIu64
			  " rows) each time; it lacks an index",
			  profile_query_name(q), e.table, e.rows);
	else
		check_say(k, CHECK_OK, "profile", "", "%s",
			  profile_query_name(q));
}

static void test_queries(struct check *k, struct db *db,
			 const struct profile_test *p)
{
	unsigned q;

	for (q = 0; q < PQ_COUNT; q++) {
		const struct profile_statement *s = &p->profile->query[q];

		if (!(p->queries & 1U << q))
			continue;
		if (s->n == 0)
			check_say(k, CHECK_FAIL, "profile", "",
				  "profile '%s' has no %s", p->profile->name,
				  profile_query_name((enum profile_query)q));
		else if (test_columns(k, db, (enum profile_query)q, s))
			test_plan(k, db, (enum profile_query)q, s);
	}
}

static void test_profile(struct check *k, const void *arg)
{
	const struct profile_test *p = arg;
	struct buf why = BUF_INIT(4096);
	struct db_target *target;
	struct db *db = NULL;

	db_library_init();
	target = db_target_new(check_tool(k)->conf, p->daemon.program,
			       DB_ACCOUNTS, &why);
	if (target)
		db = db_new(target);
	if (db)
		db_take_any_server(db);
	if (db && db_connect(db) == DB_OK)
		test_queries(k, db, p);
	else
		check_say(k, CHECK_FAIL, "profile", "",
			  "%s cannot connect to the accounts: %s",
			  program_name(p->daemon.program),
			  db ? db_why(db) : buf_cstr(&why));
	db_free(&db);
	db_target_free(&target);
	buf_release(&why);
	db_library_end();
}

void checkprofile_run(struct check *k)
{
	const struct conf *c = check_tool(k)->conf;
	struct profile_test test[] = {
		{ { PROG_MILTER, c->milter_user },
		  NULL,
		  1U << PQ_DOMAIN | 1U << PQ_MAILBOX },
		{ { PROG_AUTHD, c->auth_user }, NULL, 1U << PQ_LOGIN },
	};
	struct profile *p = tool_profile(check_tool(k));
	size_t i;

	if (!p) {
		check_say(k, CHECK_FAIL, "profile", "",
			  "profile '%s' cannot be used; see above", c->profile);
		return;
	}
	for (i = 0; i < sizeof(test) / sizeof(test[0]); i++) {
		test[i].profile = p;
		check_as(k, "profile", test[i].daemon.user, NULL, test_profile,
			 &test[i]);
	}
}
