/* tests/sql/test_sql_db.c: the gateway on a server that behaves. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "tests/sql/fixture.h"

static struct db *open_as(enum program self)
{
	static struct db_target *targets[PROG_ALL];
	struct db *db;

	if (!targets[self])
		targets[self] = fix_target(self);
	db = db_new(targets[self]);
	assert_non_null(db);
	return db;
}

static enum db_result box_make(struct db *db, const char *address)
{
	const struct sqlval param[] = { sql_bytes(span_of(address)),
					sql_bytes(SPAN_EMPTY) };

	return db_run(db, Q_BOX_MAKE, param);
}

/* Takes the row lock of a mailbox, as a delivery does. */
static enum db_result box_lock(struct db *db, uint64_t id)
{
	const struct sqlval param[] = { sql_u64(1), sql_u64(id), sql_u64(0),
					sql_u64(1), sql_u64(0) };

	return db_run(db, Q_BOX_COUNT, param);
}

static void a_new_connection_is_in_the_agreed_state(void **state)
{
	struct db *db = open_as(PROG_MILTER);
	struct sqlval col[DB_SITE_COLUMNS];
	bool got;

	(void)state;
	assert_int_equal(db_connect(db), DB_OK);
	assert_int_equal(
		db_site_run(db, 0,
			    SPAN_LIT("SELECT @@tx_isolation, @@sql_mode,"
				     " @@time_zone, @@autocommit,"
				     " @@character_set_client,"
				     " @@wsrep_sync_wait, DATABASE()"),
			    NULL, 0, 7),
		DB_OK);
	assert_int_equal(db_site_fetch(db, 0, col, &got), DB_OK);
	assert_true(got);
	assert_true(span_is(col[0].s, "READ-COMMITTED"));
	assert_non_null(strstr(col[1].s.p, "STRICT_ALL_TABLES"));
	assert_true(span_is(col[2].s, "+00:00"));
	assert_true(span_is(col[3].s, "1"));
	assert_true(span_is(col[4].s, "utf8mb4"));
	assert_true(span_is(col[5].s, "1"));
	assert_true(span_is(col[6].s, "mailrow"));
	assert_int_equal(db_site_fetch(db, 0, col, &got), DB_OK);
	assert_false(got);
	db_free(&db);
}

static void values_come_back_as_they_went_in(void **state)
{
	static const char nasty[] = "a\0b'\"\\\xff\xfe;--@example.org";
	struct db *db = open_as(PROG_MILTER);
	const struct sqlval param[] = { sql_bytes(span_make(nasty,
							    sizeof(nasty) - 1)),
					sql_bytes(SPAN_EMPTY) };
	struct sqlval col[4];
	bool got;

	(void)state;
	assert_int_equal(db_run(db, Q_BOX_MAKE, param), DB_OK);
	assert_int_equal(db_affected(db), 1);
	assert_int_equal(db_one(db, Q_BOX_FIND, param, col, &got), DB_OK);
	assert_true(got);
	assert_int_equal(col[0].type, SQLVAL_U64);
	assert_int_equal(col[1].s.n, 0);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM mailbox WHERE address"
				    " = 0x61006227225CFFFE3B2D2D406578616D706C"
				    "652E6F7267"),
			 1);
	db_free(&db);
}

static void the_largest_number_is_kept(void **state)
{
	struct db *db = open_as(PROG_MILTER);
	struct sqlval param[] = { sql_bytes(SPAN_LIT("big@example.org")) };
	struct sqlval col[4];
	bool got;

	(void)state;
	fix_sql("INSERT INTO mailbox (address, octets, created_at) VALUES"
		" ('big@example.org', 18446744073709551615, NOW())");
	assert_int_equal(db_one(db, Q_BOX_FIND, param, col, &got), DB_OK);
	assert_true(got);
	assert_true(col[3].u == UINT64_MAX);
	db_free(&db);
}

static void null_is_told_from_empty(void **state)
{
	struct db *db = open_as(PROG_MILTER);
	struct sqlval col[DB_SITE_COLUMNS];
	bool got;

	(void)state;
	assert_int_equal(db_site_run(db, 1, SPAN_LIT("SELECT NULL, '', '0'"),
				     NULL, 0, 3),
			 DB_OK);
	assert_int_equal(db_site_fetch(db, 1, col, &got), DB_OK);
	assert_int_equal(col[0].type, SQLVAL_NULL);
	assert_int_equal(col[1].type, SQLVAL_BYTES);
	assert_int_equal(col[1].s.n, 0);
	assert_true(span_is(col[2].s, "0"));
	db_site_done(db, 1);
	db_free(&db);
}

/* The buffer of a column grows in the middle of a result. */
static void values_of_any_length_come_whole(void **state)
{
	struct db *db = open_as(PROG_MILTER);
	struct sqlval col[DB_SITE_COLUMNS];
	uint64_t want[] = { 1, 127, 128, 129, 5000, 262144, 3, 1000000 };
	bool got;

	(void)state;
	assert_int_equal(
		db_site_run(db, 2,
			    SPAN_LIT("SELECT REPEAT('x', n), n FROM (SELECT 1"
				     " AS n UNION ALL SELECT 127 UNION ALL"
				     " SELECT 128 UNION ALL SELECT 129 UNION"
				     " ALL SELECT 5000 UNION ALL SELECT 262144"
				     " UNION ALL SELECT 3 UNION ALL SELECT"
				     " 1000000) s"),
			    NULL, 0, 2),
		DB_OK);
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		assert_int_equal(db_site_fetch(db, 2, col, &got), DB_OK);
		assert_true(got);
		assert_int_equal(col[0].s.n, want[i]);
		assert_int_equal(col[0].s.p[col[0].s.n - 1], 'x');
	}
	db_site_done(db, 2);
	db_free(&db);
}

static void an_update_that_changes_nothing_affects_no_row(void **state)
{
	struct db *db = open_as(PROG_MILTER);
	const struct sqlval param[] = { sql_u64(fix_box("same@example.org")) };

	(void)state;
	assert_int_equal(db_run(db, Q_BOX_RETIRE, param), DB_OK);
	assert_int_equal(db_affected(db), 1);
	assert_int_equal(db_run(db, Q_BOX_RETIRE, param), DB_OK);
	assert_int_equal(db_affected(db), 0);
	db_free(&db);
}

static void a_duplicate_key_is_an_answer_without_the_value(void **state)
{
	struct db *db = open_as(PROG_MILTER);
	const struct sqlval param[] = { sql_bytes(SPAN_LIT("0123456789abcdef")),
					sql_u64(0), sql_bytes(SPAN_LIT("x")) };

	(void)state;
	assert_int_equal(db_run(db, Q_CHUNK_PUT, param), DB_OK);
	assert_string_equal(db_why(db), "");
	assert_int_equal(db_run(db, Q_CHUNK_PUT, param), DB_DUP);
	assert_string_equal(db_why(db), "mysql 1062: duplicate key");
	assert_int_equal(db_errno(db), 1062);
	fix_sql("DELETE FROM chunk");
	db_free(&db);
}

static void a_value_that_does_not_fit_is_never_cut(void **state)
{
	struct db *db = open_as(PROG_MILTER);
	char address[322];

	(void)state;
	memset(address, 'a', sizeof(address));
	address[sizeof(address) - 1] = '\0';
	fix_sql("CREATE TABLE wide (a VARBINARY(4) NOT NULL) ENGINE=InnoDB");
	assert_int_equal(db_site_run(db, 3,
				     SPAN_LIT("INSERT INTO wide VALUES (?)"),
				     &(struct sqlval){ .type = SQLVAL_BYTES,
						       .s = span_of(address) },
				     1, 0),
			 DB_OURS);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM wide"), 0);
	fix_sql("DROP TABLE wide");
	db_free(&db);
}

static void autocommit_is_on_outside_a_transaction_only(void **state)
{
	struct db *db = open_as(PROG_MILTER);

	(void)state;
	assert_int_equal(db_begin(db), DB_OK);
	assert_int_equal(box_make(db, "tx1@example.org"), DB_OK);
	db_rollback(db);
	assert_int_equal(box_make(db, "tx2@example.org"), DB_OK);
	assert_int_equal(db_begin(db), DB_OK);
	assert_int_equal(box_make(db, "tx3@example.org"), DB_OK);
	assert_int_equal(db_commit(db, FAULT_DELIVER_COMMIT_UNREAD), DB_OK);
	assert_int_equal(db_begin(db), DB_OK);
	assert_int_equal(box_make(db, "tx4@example.org"), DB_OK);
	db_free(&db);
	assert_string_equal(
		fix_text("SELECT GROUP_CONCAT(address ORDER BY 1) FROM mailbox"
			 " WHERE address LIKE 'tx%%'"),
		"tx2@example.org,tx3@example.org");
}

/* What a server executes beside the statements: COMMIT, and nothing else. */
static void a_transaction_costs_its_statements_and_one_commit(void **state)
{
	struct db *db = open_as(PROG_MILTER);
	uint64_t id = fix_box("cost@example.org"), before;

	(void)state;
	for (int i = 0; i < 3; i++) {
		before = fix_number("SELECT VARIABLE_VALUE FROM"
				    " information_schema.GLOBAL_STATUS WHERE"
				    " VARIABLE_NAME = 'Questions'");
		assert_int_equal(db_begin(db), DB_OK);
		assert_int_equal(box_lock(db, id), DB_OK);
		assert_int_equal(db_commit(db, FAULT_DELIVER_COMMIT_UNREAD),
				 DB_OK);
		if (i == 0)
			continue;
		/* the two, and our own question */
		assert_int_equal(
			fix_number("SELECT VARIABLE_VALUE FROM"
				   " information_schema.GLOBAL_STATUS WHERE"
				   " VARIABLE_NAME = 'Questions'") -
				before,
			3);
	}
	db_free(&db);
}

static void an_idle_connection_that_was_closed_is_made_anew(void **state)
{
	struct db *db = open_as(PROG_MILTER);
	uint64_t id = fix_box("idle@example.org"), old;

	(void)state;
	assert_int_equal(db_connect(db), DB_OK);
	old = db_thread_id(db);
	fix_sql("KILL %llu", (unsigned long long)old);
	assert_int_equal(box_make(db, "idle2@example.org"), DB_OK);
	assert_true(db_thread_id(db) != old);
	fix_sql("KILL %llu", (unsigned long long)db_thread_id(db));
	assert_int_equal(db_begin(db), DB_OK);
	assert_int_equal(box_lock(db, id), DB_OK);
	assert_int_equal(db_commit(db, FAULT_DELIVER_COMMIT_UNREAD), DB_OK);
	db_free(&db);
	assert_int_equal(fix_number("SELECT messages FROM mailbox"
				    " WHERE mailbox_id = %llu",
				    (unsigned long long)id),
			 1);
}

/* The rest of a transaction must never run without its beginning. */
static void a_transaction_is_not_continued_on_a_new_connection(void **state)
{
	struct db *db = open_as(PROG_MILTER);
	uint64_t a = fix_box("half1@example.org");
	uint64_t b = fix_box("half2@example.org");

	(void)state;
	assert_int_equal(db_begin(db), DB_OK);
	assert_int_equal(box_lock(db, a), DB_OK);
	fix_sql("KILL %llu", (unsigned long long)db_thread_id(db));
	assert_int_equal(box_lock(db, b), DB_DOWN);
	assert_int_equal(box_lock(db, b), DB_DOWN);
	assert_int_equal(db_commit(db, FAULT_DELIVER_COMMIT_UNREAD), DB_DOWN);
	assert_int_equal(db_begin(db), DB_OK);
	assert_int_equal(box_lock(db, b), DB_OK);
	assert_int_equal(db_commit(db, FAULT_DELIVER_COMMIT_UNREAD), DB_OK);
	db_free(&db);
	assert_int_equal(fix_number("SELECT SUM(messages) FROM mailbox WHERE"
				    " address LIKE 'half%%'"),
			 1);
}

static void a_lock_wait_timeout_ends_the_transaction(void **state)
{
	struct db *db = open_as(PROG_MILTER), *other = open_as(PROG_MILTER);
	uint64_t a = fix_box("wait1@example.org");
	uint64_t b = fix_box("wait2@example.org");

	(void)state;
	assert_int_equal(db_begin(other), DB_OK);
	assert_int_equal(box_lock(other, b), DB_OK);
	assert_int_equal(db_begin(db), DB_OK);
	assert_int_equal(box_lock(db, a), DB_OK);
	assert_int_equal(box_lock(db, b), DB_RETRY);
	assert_int_equal(db_errno(db), 1205);
	/* 1205 leaves the first change in place; the gateway does not */
	assert_int_equal(db_commit(db, FAULT_DELIVER_COMMIT_UNREAD), DB_RETRY);
	db_rollback(other);
	assert_int_equal(fix_number("SELECT SUM(messages) FROM mailbox WHERE"
				    " address LIKE 'wait%%'"),
			 0);
	db_free(&db);
	db_free(&other);
}

struct locker {
	struct db *db;
	uint64_t id;
	enum db_result r;
};

static void *lock_second(void *arg)
{
	struct locker *l = arg;

	l->r = box_lock(l->db, l->id);
	return NULL;
}

static void of_two_in_a_deadlock_one_is_told_to_retry(void **state)
{
	struct db *db = open_as(PROG_MILTER);
	struct locker l = { .db = open_as(PROG_MILTER) };
	uint64_t a = fix_box("dead1@example.org");
	uint64_t b = fix_box("dead2@example.org");
	enum db_result r;
	pthread_t thread;

	(void)state;
	l.id = a;
	assert_int_equal(db_begin(db), DB_OK);
	assert_int_equal(db_begin(l.db), DB_OK);
	assert_int_equal(box_lock(db, a), DB_OK);
	assert_int_equal(box_lock(l.db, b), DB_OK);
	assert_int_equal(pthread_create(&thread, NULL, lock_second, &l), 0);
	usleep(200000);
	r = box_lock(db, b);
	pthread_join(thread, NULL);
	assert_true((r == DB_RETRY) != (l.r == DB_RETRY));
	assert_int_equal(db_errno(r == DB_RETRY ? db : l.db), 1213);
	assert_int_equal(db_commit(r == DB_RETRY ? db : l.db,
				   FAULT_DELIVER_COMMIT_UNREAD),
			 DB_RETRY);
	assert_int_equal(db_commit(r == DB_RETRY ? l.db : db,
				   FAULT_DELIVER_COMMIT_UNREAD),
			 DB_OK);
	assert_int_equal(fix_number("SELECT SUM(messages) FROM mailbox WHERE"
				    " address LIKE 'dead%%'"),
			 2);
	db_free(&db);
	db_free(&l.db);
}

static void a_statement_outlives_a_change_of_its_table(void **state)
{
	struct db *db = open_as(PROG_MILTER);
	const struct sqlval param[] = { sql_bytes(
		SPAN_LIT("alter@example.org")) };
	struct sqlval col[4];
	bool got;

	(void)state;
	fix_box("alter@example.org");
	assert_int_equal(db_one(db, Q_BOX_FIND, param, col, &got), DB_OK);
	fix_sql("ALTER TABLE mailbox ADD COLUMN extra INT NULL");
	assert_int_equal(db_one(db, Q_BOX_FIND, param, col, &got), DB_OK);
	assert_true(got);
	fix_sql("ALTER TABLE mailbox DROP COLUMN extra");
	assert_int_equal(db_one(db, Q_BOX_FIND, param, col, &got), DB_OK);
	assert_true(got);
	db_free(&db);
}

static void a_missing_table_is_our_trouble_and_named(void **state)
{
	struct db *db = open_as(PROG_MILTER);

	(void)state;
	assert_int_equal(db_connect(db), DB_OK);
	fix_sql("RENAME TABLE mailbox TO elsewhere");
	assert_int_equal(box_make(db, "x@example.org"), DB_OURS);
	assert_non_null(strstr(db_why(db), "no such table"));
	assert_non_null(strstr(db_why(db), "mailbox"));
	fix_sql("RENAME TABLE elsewhere TO mailbox");
	assert_int_equal(box_make(db, "x@example.org"), DB_OK);
	db_free(&db);
}

static void a_program_cannot_run_what_is_not_its_own(void **state)
{
	const struct sqlval param[] = { sql_bytes(SPAN_LIT("x")),
					sql_bytes(SPAN_EMPTY) };
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct db *db = open_as(PROG_POP3D);

		_exit(freopen("/dev/null", "w", stderr) == NULL ||
		      db_run(db, Q_BOX_MAKE, param) == DB_OK);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void names_of_a_site_statement_follow_its_text(void **state)
{
	struct db *db = open_as(PROG_MILTER);
	char name[DB_SITE_COLUMNS][64];
	size_t n;

	(void)state;
	assert_int_equal(db_site_columns(db, 4,
					 SPAN_LIT("SELECT 1 AS a, ? AS b"),
					 name, DB_SITE_COLUMNS, &n),
			 DB_OK);
	assert_int_equal(n, 2);
	assert_string_equal(name[0], "a");
	assert_string_equal(name[1], "b");
	assert_int_equal(db_site_columns(db, 4, SPAN_LIT("SELECT 1 AS other"),
					 name, DB_SITE_COLUMNS, &n),
			 DB_OK);
	assert_int_equal(n, 1);
	assert_string_equal(name[0], "other");
	assert_int_equal(db_site_columns(db, 4, SPAN_LIT("SELECT 1 FROM none"),
					 name, DB_SITE_COLUMNS, &n),
			 DB_OURS);
	/* a wrong number of parameters is a mistake, not a read beyond them */
	assert_int_equal(db_site_run(db, 4, SPAN_LIT("SELECT ?"), NULL, 0, 1),
			 DB_OURS);
	db_free(&db);
}

static void a_pool_lends_no_more_than_it_has(void **state)
{
	struct pool *p = fix_pool(PROG_MILTER, 2);
	struct db *a, *b, *c;
	int64_t start;

	(void)state;
	a = pool_get(p, deadline_in(0));
	b = pool_get(p, deadline_in(0));
	assert_non_null(a);
	assert_non_null(b);
	start = clock_ms();
	c = pool_get(p, deadline_in(100));
	assert_null(c);
	assert_in_range(clock_ms() - start, 90, 2000);
	assert_int_equal(db_begin(a), DB_OK);
	assert_int_equal(box_make(a, "pool@example.org"), DB_OK);
	pool_put(p, &a);
	assert_null(a);
	c = pool_get(p, deadline_in(0));
	assert_non_null(c);
	pool_put(p, &b);
	pool_put(p, &c);
	pool_free(&p);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM mailbox WHERE"
				    " address = 'pool@example.org'"),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_connection_is_in_the_agreed_state),
		cmocka_unit_test(values_come_back_as_they_went_in),
		cmocka_unit_test(the_largest_number_is_kept),
		cmocka_unit_test(null_is_told_from_empty),
		cmocka_unit_test(values_of_any_length_come_whole),
		cmocka_unit_test(an_update_that_changes_nothing_affects_no_row),
		cmocka_unit_test(
			a_duplicate_key_is_an_answer_without_the_value),
		cmocka_unit_test(a_value_that_does_not_fit_is_never_cut),
		cmocka_unit_test(autocommit_is_on_outside_a_transaction_only),
		cmocka_unit_test(
			a_transaction_costs_its_statements_and_one_commit),
		cmocka_unit_test(
			an_idle_connection_that_was_closed_is_made_anew),
		cmocka_unit_test(
			a_transaction_is_not_continued_on_a_new_connection),
		cmocka_unit_test(a_lock_wait_timeout_ends_the_transaction),
		cmocka_unit_test(of_two_in_a_deadlock_one_is_told_to_retry),
		cmocka_unit_test(a_statement_outlives_a_change_of_its_table),
		cmocka_unit_test(a_missing_table_is_our_trouble_and_named),
		cmocka_unit_test(a_program_cannot_run_what_is_not_its_own),
		cmocka_unit_test(names_of_a_site_statement_follow_its_text),
		cmocka_unit_test(a_pool_lends_no_more_than_it_has),
	};

	return cmocka_run_group_tests(tests, fix_start, fix_end);
}
