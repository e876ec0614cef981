/* tests/sql/test_sql_server.c: what a connection demands of its server and of
 * its option file. */
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "sql/durability.h"
#include "sql/pool.h"
#include "sql/schema.h"
#include "tests/sql/fixture.h"

static enum db_result connect_with(const struct db_target *t, char why[512])
{
	struct db *db = db_new(t);
	enum db_result r;

	assert_non_null(db);
	r = db_connect(db);
	snprintf(why, 512, "%s", db_why(db));
	db_free(&db);
	return r;
}

static enum db_result connect_as(enum program self, const char *lines,
				 char why[512])
{
	struct conf *saved = fix_conf;
	struct db_target *t;
	enum db_result r;

	fix_conf = fix_conf_with(lines);
	t = fix_target(self);
	r = connect_with(t, why);
	db_target_free(&t);
	conf_unref(&fix_conf);
	fix_conf = saved;
	return r;
}

static void the_milter_takes_no_server_that_loses_commits(void **state)
{
	char why[512];

	(void)state;
	assert_int_equal(connect_as(PROG_MILTER, "", why), DB_OK);
	fix_sql("SET GLOBAL innodb_flush_log_at_trx_commit = 2");
	assert_int_equal(connect_as(PROG_MILTER, "", why), DB_OURS);
	assert_non_null(strstr(why, "innodb_flush_log_at_trx_commit"));
	assert_non_null(strstr(why, "relaxed"));
	assert_int_equal(connect_as(PROG_MILTER, "durability = relaxed\n", why),
			 DB_OK);
	assert_int_equal(connect_as(PROG_POP3D, "", why), DB_OK);
	fix_sql("SET GLOBAL innodb_flush_log_at_trx_commit = 1");
	assert_int_equal(connect_as(PROG_MILTER, "", why), DB_OK);
}

static void the_milter_takes_no_table_without_transactions(void **state)
{
	char why[512], tables[1000], want[200];
	struct span rest, name;

	(void)state;
	snprintf(tables, sizeof(tables), "%s",
		 fix_text("SELECT GROUP_CONCAT(TABLE_NAME) FROM"
			  " information_schema.TABLES"
			  " WHERE TABLE_SCHEMA = DATABASE()"
			  " AND TABLE_TYPE = 'BASE TABLE'"));
	for (rest = span_of(tables); rest.n > 0;) {
		span_cut(rest, ',', &name, &rest);
		snprintf(want, sizeof(want), "mailrow.%.*s is Aria",
			 (int)name.n, name.p);
		fix_sql("ALTER TABLE %.*s ENGINE=Aria", (int)name.n, name.p);
		assert_int_equal(connect_as(PROG_MILTER, "", why), DB_OURS);
		if (!strstr(why, want))
			fail_msg("no '%s' in '%s'", want, why);
		fix_sql("ALTER TABLE %.*s ENGINE=InnoDB", (int)name.n, name.p);
		assert_int_equal(connect_as(PROG_MILTER, "", why), DB_OK);
	}
}

static void the_server_tells_what_the_judgement_needs(void **state)
{
	struct db_target *t = fix_target(PROG_TOOL);
	struct db *db = db_new(t);
	struct durability d;

	(void)state;
	assert_non_null(db);
	fix_sql("SET GLOBAL sync_binlog = 7");
	assert_int_equal(durability_read(db, &d), DB_OK);
	assert_true(d.read);
	assert_int_equal(d.flush_log_at_commit, 1);
	assert_int_equal(d.sync_binlog, 7);
	assert_true(d.doublewrite);
	assert_true(d.strict_mode);
	assert_int_equal(d.log_bin, fix_number("SELECT @@log_bin"));
	assert_false(d.wsrep);
	assert_string_equal(d.foreign_table, "");
	assert_string_equal(d.flush_method,
			    fix_text("SELECT @@innodb_flush_method"));
	assert_string_equal(d.version, fix_text("SELECT @@version"));
	fix_sql("SET GLOBAL sync_binlog = 0");
	db_free(&db);
	db_target_free(&t);
}

static void a_program_runs_between_two_versions_only(void **state)
{
	static const struct {
		unsigned version, oldest;
		enum db_result r;
	} row[] = {
		{ SCHEMA_VERSION, SCHEMA_VERSION, DB_OK },
		{ SCHEMA_VERSION + 3, SCHEMA_VERSION, DB_OK },
		{ SCHEMA_VERSION + 3, SCHEMA_VERSION + 1, DB_OURS },
		{ SCHEMA_VERSION - 1, SCHEMA_VERSION - 1, DB_OURS },
	};
	char why[512];

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		fix_sql("UPDATE schema_version SET version = %u,"
			" oldest_reader = %u",
			row[i].version, row[i].oldest);
		assert_int_equal(connect_as(PROG_POP3D, "", why), row[i].r);
		assert_int_equal(strstr(why, "version") != NULL,
				 row[i].r != DB_OK);
	}
	fix_sql("DELETE FROM schema_version");
	assert_int_equal(connect_as(PROG_POP3D, "", why), DB_OURS);
	assert_non_null(strstr(why, "not installed"));
	fix_sql("INSERT INTO schema_version VALUES (%d, 1)", SCHEMA_VERSION);
}

static void a_server_that_is_away_is_down_and_soon_told(void **state)
{
	struct db_target *t;
	int64_t start;
	char why[512];

	(void)state;
	fix_option_file("mailrow-pop3d.cnf",
			"[mailrow-pop3d]\nsocket=/nonexistent/s\n", 0644);
	t = fix_target(PROG_POP3D);
	start = clock_ms();
	assert_int_equal(connect_with(t, why), DB_DOWN);
	assert_true(clock_ms() - start < 2000);
	assert_non_null(strstr(why, "cannot connect"));
	assert_non_null(strstr(why, "/nonexistent/s"));
	db_target_free(&t);
}

/* A server that takes connections and says nothing. */
static void a_server_that_is_silent_is_down_at_the_timeout(void **state)
{
	struct conf *saved = fix_conf;
	struct db_target *t;
	int64_t start;
	char why[512];

	(void)state;
	fix_conf = fix_conf_with("db_connect_timeout = 1s\ndb_timeout = 1s\n");
	t = fix_target(PROG_TOOL);
	{
		struct db *db = db_new(t);

		assert_int_equal(db_connect(db), DB_OK);
		start = clock_ms();
		assert_int_equal(db_site_run(db, 0, SPAN_LIT("SELECT SLEEP(5)"),
					     NULL, 0, 1),
				 DB_DOWN);
		assert_in_range(clock_ms() - start, 800, 3500);
		snprintf(why, sizeof(why), "%s", db_why(db));
		db_free(&db);
	}
	db_target_free(&t);
	conf_unref(&fix_conf);
	fix_conf = saved;
}

/* A network that fell silent leaves a transaction to the server. */
static void the_server_ends_a_transaction_that_nobody_goes_on_with(void **state)
{
	struct db_target *t = fix_target(PROG_TOOL);
	struct db *db = db_new(t);
	struct sqlval col[1];
	bool got;

	(void)state;
	if (db_connect(db) != DB_OK ||
	    db_site_run(db, 0, SPAN_LIT("SELECT @@idle_transaction_timeout"),
			NULL, 0, 1) != DB_OK)
		fail_msg("%s", db_why(db));
	assert_int_equal(db_site_fetch(db, 0, col, &got), DB_OK);
	assert_true(got && span_eq(col[0].s, SPAN_LIT("15")));
	db_site_done(db, 0);
	db_free(&db);
	db_target_free(&t);
}

static void who_has_something_to_end_is_lent_first(void **state)
{
	struct pool *p = fix_pool(PROG_MILTER, 3);
	struct db *db[3], *next;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		db[i] = pool_get(p, deadline_in(1000));
	assert_int_equal(db_connect(db[0]), DB_OK);
	assert_int_equal(db_begin(db[0]), DB_OK);
	assert_int_equal(
		db_run(db[0], Q_BOX_RETIRE, (struct sqlval[]){ sql_u64(1) }),
		DB_OK);
	next = db[0];
	db_close(db[0]);
	for (size_t i = 0; i < 3; i++)
		pool_put(p, &db[i]);
	for (int again = 0; again < 2; again++) {
		struct db *lent = pool_get(p, deadline_in(1000));

		assert_true((lent == next) == (again == 0));
		assert_true(db_has_former(lent) == (again == 0));
		assert_int_equal(db_connect(lent), DB_OK);
		assert_false(db_has_former(lent));
		db[again] = lent;
	}
	for (int i = 0; i < 2; i++)
		pool_put(p, &db[i]);
	pool_free(&p);
}

/* Of one server, whatever it is used for: who delivers need not wait for the
 * timeout that a look-up has waited for. */
static void one_lost_connection_makes_the_idle_ones_new(void **state)
{
	struct db_target *t[2] = { fix_target(PROG_MILTER),
				   fix_target(PROG_MILTER) };
	struct sqlval box[] = { sql_u64(1) };
	struct db *db[2];
	uint64_t id[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		db[i] = db_new(t[i]);
		assert_int_equal(db_connect(db[i]), DB_OK);
		id[i] = db_thread_id(db[i]);
	}
	usleep(2000);
	fix_sql("KILL %llu", (unsigned long long)id[0]);
	for (int i = 0; i < 1000 && db_thread_id(db[0]) == id[0]; i++) {
		usleep(1000);
		assert_int_equal(db_run(db[0], Q_BOX_RETIRE, box), DB_OK);
	}
	assert_int_equal(db_run(db[1], Q_BOX_RETIRE, box), DB_OK);
	assert_true(db_thread_id(db[1]) > id[1]);
	for (int i = 0; i < 2; i++) {
		db_free(&db[i]);
		db_target_free(&t[i]);
	}
}

static void wrong_passwords_are_our_trouble_not_the_peers(void **state)
{
	struct db_target *t = fix_target_as(PROG_POP3D, "nobody", "wrong");
	char why[512];

	(void)state;
	assert_int_equal(connect_with(t, why), DB_OURS);
	assert_non_null(strstr(why, "access denied"));
	assert_null(strstr(why, "wrong"));
	db_target_free(&t);
}

static struct db_target *target(enum db_role role, struct buf *why)
{
	buf_reset(why);
	return db_target_new(fix_conf, PROG_AUTHD, role, why);
}

static void accounts_may_lie_on_another_server(void **state)
{
	struct buf why = BUF_INIT(1000);
	struct db_target *store, *accounts;
	struct buf text = BUF_INIT(2000);
	char failed[512];

	(void)state;
	store = target(DB_STORE, &why);
	accounts = target(DB_ACCOUNTS, &why);
	assert_true(db_target_same(store, accounts));
	db_target_free(&accounts);

	fix_sql("CREATE DATABASE panel");
	buf_printf(&text,
		   "[mailrow-authd]\nuser=root\nsocket=/nonexistent/s\n"
		   "[mailrow-authd-accounts]\nuser=root\nsocket=%s\n"
		   "database=panel\n",
		   getenv("MAILROW_TEST_SOCKET"));
	fix_option_file("mailrow-authd.cnf", buf_cstr(&text), 0600);
	accounts = target(DB_ACCOUNTS, &why);
	assert_false(db_target_same(store, accounts));
	/* no schema is looked for there */
	assert_int_equal(connect_with(accounts, failed), DB_OK);
	assert_int_equal(connect_with(store, failed), DB_DOWN);
	fix_sql("DROP DATABASE panel");
	db_target_free(&store);
	db_target_free(&accounts);
	buf_release(&why);
	buf_release(&text);
}

static void an_option_file_is_needed_and_keeps_its_password(void **state)
{
	struct buf why = BUF_INIT(1000);

	(void)state;
	fix_option_file("mailrow-authd.cnf",
			"[mailrow-authd]\npassword=secret\n", 0644);
	assert_null(target(DB_STORE, &why));
	assert_non_null(strstr(buf_cstr(&why), "mailrow-authd.cnf"));
	assert_null(strstr(buf_cstr(&why), "secret"));
	unlink(fix_path("mailrow-authd.cnf"));
	assert_null(target(DB_STORE, &why));
	assert_non_null(strstr(buf_cstr(&why), "mailrow-authd.cnf"));
	buf_release(&why);
}

/* Neither may be switched on in the file. */
static void an_option_file_cannot_weaken_the_connection(void **state)
{
	struct buf text = BUF_INIT(2000);
	struct db_target *t;
	struct db *db;
	uint64_t old;

	(void)state;
	buf_printf(&text,
		   "[mailrow-pop3d]\nuser=root\nsocket=%s\nreconnect=1\n"
		   "report-data-truncation=0\ndefault-character-set=latin1\n",
		   getenv("MAILROW_TEST_SOCKET"));
	fix_option_file("mailrow-pop3d.cnf", buf_cstr(&text), 0600);
	t = fix_target(PROG_POP3D);
	db = db_new(t);
	assert_int_equal(db_connect(db), DB_OK);
	old = db_thread_id(db);
	assert_int_equal(db_begin(db), DB_OK);
	assert_int_equal(
		db_run(db, Q_DROP_LOCK, (struct sqlval[]){ sql_u64(1) }),
		DB_OK);
	db_done(db, Q_DROP_LOCK);
	fix_sql("KILL %llu", (unsigned long long)old);
	assert_int_equal(
		db_run(db, Q_DROP_LOCK, (struct sqlval[]){ sql_u64(1) }),
		DB_DOWN);
	db_rollback(db);
	db_free(&db);
	db_target_free(&t);
	buf_release(&text);
}

static void the_unix_user_is_proof_enough_on_this_host(void **state)
{
	const struct passwd *pw = getpwuid(geteuid());
	struct db_target *t;
	char why[512];

	(void)state;
	assert_non_null(pw);
	fix_sql("CREATE USER IF NOT EXISTS '%s'@'localhost'", pw->pw_name);
	fix_sql("GRANT ALL ON mailrow.* TO '%s'@'localhost'", pw->pw_name);
	fix_sql("ALTER USER '%s'@'localhost' IDENTIFIED VIA unix_socket",
		pw->pw_name);
	t = fix_target_as(PROG_LMTPD, pw->pw_name, "");
	assert_int_equal(connect_with(t, why), DB_OK);
	db_target_free(&t);
	fix_sql("CREATE USER 'somebody'@'localhost' IDENTIFIED VIA"
		" unix_socket");
	t = fix_target_as(PROG_LMTPD, "somebody", "");
	assert_int_equal(connect_with(t, why), DB_OURS);
	db_target_free(&t);
	fix_sql("DROP USER 'somebody'@'localhost'; ALTER USER '%s'@'localhost'"
		" IDENTIFIED BY ''",
		pw->pw_name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_unix_user_is_proof_enough_on_this_host),
		cmocka_unit_test(the_milter_takes_no_server_that_loses_commits),
		cmocka_unit_test(
			the_milter_takes_no_table_without_transactions),
		cmocka_unit_test(the_server_tells_what_the_judgement_needs),
		cmocka_unit_test(a_program_runs_between_two_versions_only),
		cmocka_unit_test(a_server_that_is_away_is_down_and_soon_told),
		cmocka_unit_test(
			a_server_that_is_silent_is_down_at_the_timeout),
		cmocka_unit_test(
			the_server_ends_a_transaction_that_nobody_goes_on_with),
		cmocka_unit_test(who_has_something_to_end_is_lent_first),
		cmocka_unit_test(one_lost_connection_makes_the_idle_ones_new),
		cmocka_unit_test(wrong_passwords_are_our_trouble_not_the_peers),
		cmocka_unit_test(accounts_may_lie_on_another_server),
		cmocka_unit_test(
			an_option_file_is_needed_and_keeps_its_password),
		cmocka_unit_test(an_option_file_cannot_weaken_the_connection),
	};

	return cmocka_run_group_tests(tests, fix_start, fix_end);
}
