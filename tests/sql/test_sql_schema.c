/* tests/sql/test_sql_schema.c: installing and upgrading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sql/schema.h"
#include "tests/sql/fixture.h"

static struct db_target *target;
static struct db *db;

static int start(void **state)
{
	if (fix_start_empty(state) != 0)
		return -1;
	target = fix_target(PROG_TOOL);
	db = db_new(target);
	db_take_any_server(db);
	return 0;
}

static int end(void **state)
{
	db_free(&db);
	db_target_free(&target);
	return fix_end(state);
}

static struct schema_state state_now(void)
{
	struct schema_state s;

	if (schema_state(db, &s) != DB_OK)
		fail_msg("%s", db_why(db));
	return s;
}

static enum db_result install(struct span *failed)
{
	static struct buf sql = BUF_INIT(1 << 20);
	struct buf why = BUF_INIT(1000), dir = BUF_INIT(1000);
	enum db_result r;

	buf_printf(&dir, "%s/sql", getenv("top_srcdir"));
	buf_reset(&sql);
	assert_true(schema_read_install(buf_cstr(&dir), &sql, &why));
	r = schema_apply(db, buf_span(&sql), failed);
	buf_release(&dir);
	buf_release(&why);
	return r;
}

static void an_empty_database_is_told_from_an_installed_one(void **state)
{
	struct span failed;
	struct schema_state s = state_now();

	(void)state;
	assert_false(s.installed);
	assert_false(schema_fits(&s));
	assert_int_equal(install(&failed), DB_OK);
	s = state_now();
	assert_true(s.installed && s.complete);
	assert_int_equal(s.version, SCHEMA_VERSION);
	assert_true(schema_fits(&s));
}

static void every_table_is_innodb_and_has_a_primary_key(void **state)
{
	(void)state;
	assert_in_range(fix_number("SELECT COUNT(*) FROM"
				   " information_schema.TABLES WHERE"
				   " TABLE_SCHEMA = 'mailrow'"),
			10, 100);
	assert_int_equal(
		fix_number("SELECT COUNT(*) FROM information_schema.TABLES t"
			   " WHERE TABLE_SCHEMA = 'mailrow' AND TABLE_TYPE ="
			   " 'BASE TABLE' AND (ENGINE <> 'InnoDB' OR NOT "
			   "EXISTS (SELECT 1 FROM"
			   " information_schema.TABLE_CONSTRAINTS c WHERE"
			   " c.TABLE_SCHEMA = 'mailrow' AND c.TABLE_NAME ="
			   " t.TABLE_NAME AND CONSTRAINT_TYPE ="
			   " 'PRIMARY KEY'))"),
		0);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM"
				    " information_schema.TABLE_CONSTRAINTS"
				    " WHERE TABLE_SCHEMA = 'mailrow' AND"
				    " CONSTRAINT_TYPE = 'FOREIGN KEY'"),
			 0);
}

/* A text column would fold or refuse octets. */
static void octets_of_mail_and_addresses_stand_in_binary_columns(void **state)
{
	(void)state;
	assert_int_equal(
		fix_number("SELECT COUNT(*) FROM information_schema.COLUMNS"
			   " WHERE TABLE_SCHEMA = 'mailrow' AND"
			   " CHARACTER_SET_NAME IS NOT NULL"
			   " AND DATA_TYPE <> 'enum'"),
		0);
}

static void a_second_installation_stops_at_the_first_table(void **state)
{
	struct span failed;

	(void)state;
	assert_int_equal(install(&failed), DB_OURS);
	assert_non_null(strstr(db_why(db), "schema_version"));
	assert_true(span_starts_nocase(
		failed, SPAN_LIT("CREATE TABLE schema_version")));
}

static void an_interrupted_installation_is_not_complete(void **state)
{
	struct schema_state s;

	(void)state;
	fix_sql("DELETE FROM schema_version");
	s = state_now();
	assert_true(s.installed);
	assert_false(s.complete);
	assert_false(schema_fits(&s));
	fix_sql("INSERT INTO schema_version VALUES (1, 1)");
}

static void a_step_is_a_file_that_ends_with_its_version(void **state)
{
	struct buf sql = BUF_INIT(10000), why = BUF_INIT(1000);
	struct schema_state s;
	struct span failed;
	char dir[1024];

	(void)state;
	snprintf(dir, sizeof(dir), "%s", fix_path(""));
	fix_option_file(
		"upgrade-2.sql",
		"-- one; more\n"
		"ALTER TABLE served ADD COLUMN note VARBINARY(9) NULL;\n"
		"ANALYZE TABLE served;\n"
		"UPDATE schema_version SET version = 2;\n",
		0644);
	assert_true(schema_read_step(dir, 2, &sql, &why));
	assert_int_equal(schema_apply(db, buf_span(&sql), &failed), DB_OK);
	s = state_now();
	assert_int_equal(s.version, 2);
	assert_int_equal(s.oldest_reader, 1);
	assert_true(schema_fits(&s));
	assert_false(schema_read_step(dir, 3, &sql, &why));
	assert_non_null(strstr(buf_cstr(&why), "upgrade-3.sql"));
	buf_release(&sql);
	buf_release(&why);
}

static void a_statement_that_fails_is_shown(void **state)
{
	struct span failed;

	(void)state;
	assert_int_equal(schema_apply(db,
				      SPAN_LIT("SELECT 1; SELEKT 2; SELECT 3"),
				      &failed),
			 DB_OURS);
	assert_true(span_is(failed, "SELEKT 2"));
	assert_true(strlen(db_why(db)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_empty_database_is_told_from_an_installed_one),
		cmocka_unit_test(every_table_is_innodb_and_has_a_primary_key),
		cmocka_unit_test(
			octets_of_mail_and_addresses_stand_in_binary_columns),
		cmocka_unit_test(
			a_second_installation_stops_at_the_first_table),
		cmocka_unit_test(an_interrupted_installation_is_not_complete),
		cmocka_unit_test(a_step_is_a_file_that_ends_with_its_version),
		cmocka_unit_test(a_statement_that_fails_is_shown),
	};

	return cmocka_run_group_tests(tests, start, end);
}
