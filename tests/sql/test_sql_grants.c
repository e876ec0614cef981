/* tests/sql/test_sql_grants.c: each daemon can do its work, and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sql/profile.h"
#include "sql/schema.h"
#include "tests/sql/fixture.h"

static const struct {
	enum program self;
	const char *user;
	unsigned queries; /* bits of the profile's */
} daemons[] = {
	{ PROG_MILTER, "mailrow-milter",
	  1U << PQ_DOMAIN | 1U << PQ_MAILBOX | 1U << PQ_ALIAS |
		  1U << PQ_SENDER | 1U << PQ_STATE },
	{ PROG_LMTPD, "mailrow-lmtp",
	  1U << PQ_DOMAIN | 1U << PQ_MAILBOX | 1U << PQ_ALIAS |
		  1U << PQ_SENDER },
	{ PROG_AUTHD, "mailrow-auth", 1U << PQ_LOGIN | 1U << PQ_STATE },
	{ PROG_POP3D, "mailrow-pop3", 0 },
	{ PROG_PURGE, "mailrow-purge", 1U << PQ_DOMAIN | 1U << PQ_MAILBOX },
	{ PROG_TOOL, "mailrow-admin",
	  1U << PQ_DOMAIN | 1U << PQ_MAILBOX | 1U << PQ_LOGIN | 1U << PQ_ALIAS |
		  1U << PQ_SENDER | 1U << PQ_STATE | 1U << PQ_REHASH },
};

enum { DAEMONS = sizeof(daemons) / sizeof(*daemons) };

static struct db_target *target[DAEMONS];
static struct db *db[DAEMONS];

/* The users exist already, with passwords, so grants.sql only gives rights. */
static void apply_grants(void)
{
	struct buf sql = BUF_INIT(1 << 16), why = BUF_INIT(1000);
	struct span rest, statement;
	char dir[1024];

	snprintf(dir, sizeof(dir), "%s/sql", getenv("top_srcdir"));
	assert_true(schema_read_grants(dir, &sql, &why));
	rest = buf_span(&sql);
	while (schema_next_statement(&rest, &statement))
		fix_sql("%.*s", (int)statement.n, statement.p);
	buf_release(&sql);
	buf_release(&why);
}

static int start(void **state)
{
	if (fix_start(state) != 0)
		return -1;
	for (size_t i = 0; i < DAEMONS; i++) {
		fix_sql("DROP USER IF EXISTS '%s'@'localhost'",
			daemons[i].user);
		fix_sql("CREATE USER '%s'@'localhost' IDENTIFIED BY 'pw'",
			daemons[i].user);
	}
	apply_grants();
	for (size_t i = 0; i < DAEMONS; i++) {
		target[i] =
			fix_target_as(daemons[i].self, daemons[i].user, "pw");
		db[i] = db_new(target[i]);
	}
	return 0;
}

static int end(void **state)
{
	for (size_t i = 0; i < DAEMONS; i++) {
		db_free(&db[i]);
		db_target_free(&target[i]);
	}
	return fix_end(state);
}

static void every_statement_of_a_daemon_is_allowed_to_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < DAEMONS; i++) {
		if (db_connect(db[i]) != DB_OK)
			fail_msg("%s: %s", daemons[i].user, db_why(db[i]));
		for (int q = 0; q < QUERY_COUNT; q++) {
			if (q == Q_SESSION_MODE || q == Q_SESSION_ISOLATION ||
			    q == Q_SESSION_WSREP ||
			    !(db_query_programs((enum query_id)q) &
			      daemons[i].self))
				continue;
			if (db_prepare(db[i], (enum query_id)q) != DB_OK)
				fail_msg("%s: %s: %s", daemons[i].user,
					 db_query_name((enum query_id)q),
					 db_why(db[i]));
		}
	}
}

static void every_query_of_the_native_profile_is_allowed(void **state)
{
	struct buf problems = BUF_INIT(1000);
	char dir[1024], name[DB_SITE_COLUMNS][64];
	struct profile *p;

	(void)state;
	snprintf(dir, sizeof(dir), "%s/sql/profiles", getenv("top_srcdir"));
	p = profile_load(dir, "native", &problems);
	assert_non_null(p);
	for (size_t i = 0; i < DAEMONS; i++)
		for (unsigned q = 0; q < PQ_COUNT; q++) {
			struct profile_statement *s = &p->query[q];
			enum db_result want =
				daemons[i].queries & 1U << q ? DB_OK : DB_OURS;
			size_t n;

			/* authd sees whole accounts anyway */
			if (daemons[i].self == PROG_AUTHD &&
			    (q == PQ_DOMAIN || q == PQ_MAILBOX))
				continue;
			if (db_site_columns(db[i], q, span_make(s->text, s->n),
					    name, DB_SITE_COLUMNS, &n) != want)
				fail_msg("%s: %s: %s", daemons[i].user,
					 profile_query_name(
						 (enum profile_query)q),
					 db_why(db[i]));
		}
	profile_free(&p);
	buf_release(&problems);
}

static const struct {
	enum program self;
	const char *sql;
} denied[] = {
	{ PROG_MILTER, "SELECT password FROM account" },
	{ PROG_MILTER, "SELECT * FROM account" },
	{ PROG_MILTER, "UPDATE account SET active = 1" },
	{ PROG_MILTER, "DELETE FROM mail" },
	{ PROG_MILTER, "UPDATE mail SET octets = 0" },
	{ PROG_MILTER, "SELECT * FROM mail" },
	{ PROG_MILTER, "SELECT data FROM chunk" },
	{ PROG_MILTER, "DELETE FROM chunk" },
	{ PROG_MILTER, "UPDATE chunk SET data = ''" },
	{ PROG_MILTER, "DELETE FROM content" },
	{ PROG_MILTER, "DELETE FROM receipt" },
	{ PROG_MILTER, "DELETE FROM mailbox" },
	{ PROG_MILTER, "SELECT * FROM trash" },
	{ PROG_MILTER, "UPDATE schema_version SET version = 9" },
	{ PROG_MILTER, "CREATE TABLE x (a INT)" },
	{ PROG_MILTER, "SELECT * FROM mysql.user" },
	{ PROG_MILTER, "INSERT INTO alias SELECT * FROM alias" },
	{ PROG_MILTER, "DELETE FROM alias" },
	{ PROG_MILTER, "SELECT * FROM decision" },
	{ PROG_MILTER, "DELETE FROM decision" },
	{ PROG_MILTER, "UPDATE decision SET smtp = 0" },
	{ PROG_LMTPD, "SELECT * FROM decision" },
	{ PROG_LMTPD, "DELETE FROM decision" },
	{ PROG_AUTHD, "SELECT * FROM decision" },
	{ PROG_POP3D, "SELECT * FROM decision" },
	{ PROG_PURGE, "SELECT sender FROM decision" },
	{ PROG_MILTER, "UPDATE policy_mode SET mode = 'off'" },
	{ PROG_MILTER, "INSERT INTO network (network, kind) VALUES"
		       " ('::1', 'trusted')" },
	{ PROG_MILTER, "DELETE FROM access_rule" },
	{ PROG_MILTER, "UPDATE policy_generation SET generation = 1" },
	{ PROG_LMTPD, "UPDATE account_policy SET suspended = 0" },
	{ PROG_LMTPD, "DELETE FROM send_as" },
	{ PROG_AUTHD, "SELECT * FROM account_policy" },
	{ PROG_POP3D, "SELECT * FROM access_rule" },
	{ PROG_PURGE, "SELECT * FROM network" },
	{ PROG_LMTPD, "SELECT password FROM account" },
	{ PROG_LMTPD, "SELECT * FROM mail" },
	{ PROG_LMTPD, "SELECT data FROM chunk" },
	{ PROG_LMTPD, "DELETE FROM mail" },
	{ PROG_LMTPD, "DELETE FROM content" },
	{ PROG_LMTPD, "UPDATE account SET active = 1" },
	{ PROG_LMTPD, "DELETE FROM alias" },
	{ PROG_AUTHD, "SELECT * FROM alias" },
	{ PROG_POP3D, "SELECT * FROM alias" },
	{ PROG_POP3D, "SELECT * FROM account" },
	{ PROG_POP3D, "SELECT address FROM account" },
	{ PROG_POP3D, "SELECT * FROM domain" },
	{ PROG_POP3D, "INSERT INTO mail SELECT * FROM mail" },
	{ PROG_POP3D, "UPDATE mail SET octets = 0" },
	{ PROG_POP3D, "DELETE FROM trash" },
	{ PROG_POP3D, "UPDATE trash SET uid = 0" },
	{ PROG_POP3D, "UPDATE mailbox SET address = 'x'" },
	{ PROG_POP3D, "UPDATE mailbox SET uid_next = 0" },
	{ PROG_POP3D, "DELETE FROM mailbox" },
	{ PROG_POP3D, "DELETE FROM chunk" },
	{ PROG_POP3D, "UPDATE chunk SET data = ''" },
	{ PROG_POP3D, "DELETE FROM content" },
	{ PROG_POP3D, "DELETE FROM receipt" },
	{ PROG_POP3D, "DROP TABLE trash" },
	{ PROG_POP3D, "DELETE FROM lease" },
	{ PROG_POP3D, "DELETE FROM retention" },
	{ PROG_POP3D, "UPDATE lease SET mailbox_id = 0" },
	{ PROG_MILTER, "SELECT * FROM lease" },
	{ PROG_LMTPD, "SELECT * FROM lease" },
	{ PROG_AUTHD, "SELECT * FROM lease" },
	{ PROG_PURGE, "UPDATE lease SET fence = 0" },
	{ PROG_AUTHD, "SELECT * FROM mail" },
	{ PROG_AUTHD, "SELECT * FROM chunk" },
	{ PROG_AUTHD, "SELECT * FROM trash" },
	{ PROG_AUTHD, "SELECT * FROM receipt" },
	{ PROG_AUTHD, "SELECT messages FROM mailbox" },
	{ PROG_AUTHD, "UPDATE mailbox SET address = NULL" },
	{ PROG_AUTHD, "UPDATE account SET password = ''" },
	{ PROG_AUTHD, "DELETE FROM account" },
	{ PROG_AUTHD, "DELETE FROM app_password" },
	{ PROG_AUTHD, "UPDATE app_password SET hash = ''" },
	{ PROG_AUTHD, "INSERT INTO app_password SELECT * FROM app_password" },
	{ PROG_MILTER, "SELECT * FROM app_password" },
	{ PROG_POP3D, "SELECT * FROM app_password" },
	{ PROG_POP3D, "SELECT * FROM login_history" },
	{ PROG_PURGE, "SELECT data FROM chunk" },
	{ PROG_PURGE, "UPDATE chunk SET data = ''" },
	{ PROG_PURGE, "UPDATE mail SET octets = 0" },
	{ PROG_PURGE, "UPDATE trash SET uid = 0" },
	{ PROG_PURGE, "DELETE FROM retention" },
	{ PROG_PURGE, "SELECT password FROM account" },
	{ PROG_PURGE, "DELETE FROM account" },
	{ PROG_PURGE, "DROP TABLE trash" },
	{ PROG_TOOL, "DELETE FROM mailbox" },
	{ PROG_TOOL, "DELETE FROM mail" },
	{ PROG_TOOL, "DELETE FROM trash" },
	{ PROG_TOOL, "DELETE FROM content" },
	{ PROG_TOOL, "DELETE FROM chunk" },
	{ PROG_TOOL, "DELETE FROM receipt" },
	{ PROG_TOOL, "DELETE FROM decision" },
	{ PROG_TOOL, "GRANT SELECT ON mail TO 'mailrow-auth'@'localhost'" },
	{ PROG_TOOL, "SELECT * FROM mysql.user" },
};

static void what_is_not_a_daemons_work_is_denied(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof(denied) / sizeof(*denied); k++)
		for (size_t i = 0; i < DAEMONS; i++) {
			struct span failed;

			if (daemons[i].self != denied[k].self)
				continue;
			if (schema_apply(db[i], span_of(denied[k].sql),
					 &failed) != DB_OURS)
				fail_msg("%s may: %s", daemons[i].user,
					 denied[k].sql);
			assert_in_set(db_errno(db[i]),
				      ((const uintmax_t[]){ 1142, 1143, 1044,
							    1227, 1370 }),
				      5);
		}
}

/* Both servers' ways to say it stand in one file. */
static void without_passwords_the_unix_user_is_the_proof(void **state)
{
	(void)state;
	fix_sql("DROP USER 'mailrow-milter'@'localhost'");
	apply_grants();
	assert_string_equal(fix_text("SELECT plugin FROM mysql.user"
				     " WHERE User = 'mailrow-milter'"),
			    "unix_socket");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_statement_of_a_daemon_is_allowed_to_it),
		cmocka_unit_test(every_query_of_the_native_profile_is_allowed),
		cmocka_unit_test(what_is_not_a_daemons_work_is_denied),
		cmocka_unit_test(without_passwords_the_unix_user_is_the_proof),
	};

	return cmocka_run_group_tests(tests, start, end);
}
