/* ctl/checkprofile.c: the queries over the site's own tables. */
#include "ctl/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "sql/explain.h"

/* Which daemon asks which query. */
struct profile_test {
	struct check_daemon daemon;
	const struct profile *profile;
	unsigned queries; /* bits of enum profile_query */
};

/* Where the query stands; line 0 = the file. */
static const char *edit_fix(struct check *k, unsigned line,
			    char fix[CHECK_FIX_MAX])
{
	const struct conf *c = check_tool(k)->conf;
	int n = snprintf(fix, CHECK_FIX_MAX, "edit %s/%s.conf", c->profile_dir,
			 c->profile);

	if (line && n > 0 && n < CHECK_FIX_MAX)
		snprintf(fix + n, CHECK_FIX_MAX - (size_t)n, ", line %u", line);
	return fix;
}

/* A table that is not ours may be one that the user has no right to. */
static const char *prepare_fix(struct check *k, struct db *db,
			       enum profile_query q, unsigned line,
			       char fix[CHECK_FIX_MAX])
{
	unsigned err = db_errno(db);
	size_t n;

	if (err >= 2000)
		return check_db_fix(err, fix);
	(void)edit_fix(k, line, fix);
	n = strlen(fix);
	if (err == 1142 || err == 1143)
		snprintf(fix + n, CHECK_FIX_MAX - n,
			 ", or GRANT %s on what it names",
			 q == PQ_REHASH ? "UPDATE" : "SELECT");
	return fix;
}

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
	char name[DB_SITE_COLUMNS][64], fix[CHECK_FIX_MAX];
	size_t n, i, required;
	const char *const *want = profile_columns(q, &required);

	if (db_site_columns(db, (unsigned)q, span_make(s->text, s->n), name,
			    DB_SITE_COLUMNS, &n) != DB_OK) {
		check_say(k, CHECK_FAIL, "profile",
			  prepare_fix(k, db, q, s->line, fix),
			  "%s (line %u) does not prepare: %s",
			  profile_query_name(q), s->line, db_why(db));
		return false;
	}
	for (i = 0; i < required; i++)
		if (!has_name(name, n, want[i])) {
			check_say(k, CHECK_FAIL, "profile",
				  edit_fix(k, s->line, fix),
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
	char fix[CHECK_FIX_MAX];
	struct explain e;

	if (explain_profile(db, s, NULL, &e) != DB_OK)
		check_say(k, CHECK_WARN, "profile",
			  prepare_fix(k, db, q, s->line, fix),
			  "%s cannot be explained: %s", profile_query_name(q),
			  db_why(db));
	else if (e.full_scan && e.rows >= SCAN_ROWS_MIN)
		check_say(k, CHECK_WARN, "profile", edit_fix(k, s->line, fix),
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
		if (s->n == 0 && q == PQ_REHASH)
			check_say(k, CHECK_WARN, "profile",
				  "set rehash_on_login = no, or give the "
				  "profile a rehash_query",
				  "rehash_on_login does nothing: the profile "
				  "has no rehash_query");
		else if (s->n == 0)
			check_say(k, CHECK_OK, "profile", "", "%s: none",
				  profile_query_name((enum profile_query)q));
		else if (test_columns(k, db, (enum profile_query)q, s))
			test_plan(k, db, (enum profile_query)q, s);
	}
}

static void test_profile(struct check *k, const struct profile_test *p)
{
	const struct conf *c = check_tool(k)->conf;
	struct buf why = BUF_INIT(4096);
	char fix[CHECK_FIX_MAX], path[1024];
	struct db_target *target;
	struct db *db = NULL;

	snprintf(path, sizeof(path), "%s/%s.cnf", c->option_dir,
		 program_option_group(p->daemon.program));
	target = db_target_new(c, p->daemon.program, DB_ACCOUNTS, &why);
	if (target)
		db = db_new(target);
	if (db)
		db_take_any_server(db);
	if (db && db_connect(db) == DB_OK)
		test_queries(k, db, p);
	else
		check_say(k, CHECK_FAIL, "profile",
			  db ? check_db_fix(db_errno(db), fix)
			     : check_file_fix(&p->daemon, path, fix),
			  "%s cannot connect to the accounts: %s",
			  program_name(p->daemon.program),
			  db ? db_why(db) : buf_cstr(&why));
	db_free(&db);
	db_target_free(&target);
	buf_release(&why);
}

/* In a process of its own, whose user is the daemon's. */
static void test_as_daemon(struct check *k, const void *arg)
{
	db_library_init();
	test_profile(k, arg);
	db_library_end();
}

/* Root connects as its user by himself (sql/dbuser.h). Who is not root was told
 * with the store's statements. */
static void test_purge(struct check *k, const struct profile *p)
{
	const struct profile_test test = { { PROG_PURGE, "mailrow-purge" },
					   p,
					   1U << PQ_DOMAIN | 1U << PQ_MAILBOX };

	if (geteuid() == 0)
		test_profile(k, &test);
}

void checkprofile_run(struct check *k)
{
	const struct conf *c = check_tool(k)->conf;
	struct profile_test test[] = {
		{ { PROG_MILTER, c->milter_user },
		  NULL,
		  1U << PQ_DOMAIN | 1U << PQ_MAILBOX | 1U << PQ_ALIAS |
			  1U << PQ_SENDER | 1U << PQ_STATE },
		{ { PROG_AUTHD, c->auth_user },
		  NULL,
		  1U << PQ_LOGIN | 1U << PQ_STATE |
			  (c->rehash_on_login ? 1U << PQ_REHASH : 0) },
		{ { PROG_LMTPD, c->lmtp_user },
		  NULL,
		  1U << PQ_DOMAIN | 1U << PQ_MAILBOX | 1U << PQ_ALIAS |
			  1U << PQ_SENDER },
	};
	size_t n = c->lmtp_listen.n ? 3 : 2;
	struct profile *p = tool_profile(check_tool(k));
	char fix[CHECK_FIX_MAX];
	size_t i;

	if (!p) {
		check_say(k, CHECK_FAIL, "profile", edit_fix(k, 0, fix),
			  "profile '%s' cannot be used; see above", c->profile);
		return;
	}
	for (i = 0; i < n; i++) {
		test[i].profile = p;
		check_as(k, "profile", test[i].daemon.user, NULL,
			 test_as_daemon, &test[i]);
	}
	test_purge(k, p);
}
