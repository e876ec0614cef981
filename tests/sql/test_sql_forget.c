/* tests/sql/test_sql_forget.c: an account goes with all that is its, or not at
 * all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sql/forget.h"
#include "tests/sql/fixture.h"

static struct db_target *target;
static struct db *db;

static int start(void **state)
{
	if (fix_start(state) != 0)
		return -1;
	target = fix_target(PROG_TOOL);
	db = db_new(target);
	fix_sql("INSERT INTO domain (name, created_at) VALUES"
		" ('example.org', UTC_TIMESTAMP())");
	return 0;
}

static int end(void **state)
{
	db_free(&db);
	db_target_free(&target);
	return fix_end(state);
}

static void fill(void)
{
	fix_sql("INSERT IGNORE INTO account"
		" (address, domain, password, created_at) VALUES"
		" ('bob@example.org', 'example.org', '', UTC_TIMESTAMP())");
	fix_sql("INSERT IGNORE INTO alias (address, target, created_at) VALUES"
		" ('bob@example.org', 'old@example.net', UTC_TIMESTAMP())");
	fix_sql("INSERT IGNORE INTO send_as (login, sender) VALUES"
		" ('bob@example.org', '@example.net')");
}

static uint64_t rows(void)
{
	return fix_number("SELECT (SELECT COUNT(*) FROM account)"
			  " + (SELECT COUNT(*) FROM alias)"
			  " + (SELECT COUNT(*) FROM send_as)");
}

static bool count_row(void *arg, const struct sqlval *col)
{
	size_t *n = arg;

	(void)col;
	++*n;
	return true;
}

static enum native_result forget_bob(size_t *told_r)
{
	*told_r = 0;
	return forget_account(db, SPAN_LIT("bob@example.org"), count_row,
			      told_r);
}

static void what_goes_is_told_and_the_policy_is_read_anew(void **state)
{
	uint64_t before;
	size_t told;

	(void)state;
	fill();
	before = fix_number("SELECT generation FROM policy_generation");
	assert_int_equal(forget_bob(&told), NATIVE_OK);
	assert_int_equal(told, 2);
	assert_int_equal(rows(), 0);
	assert_true(fix_number("SELECT generation FROM policy_generation") >
		    before);
	assert_int_equal(forget_bob(&told), NATIVE_NONE);
}

static void a_name_that_is_no_account_loses_nothing(void **state)
{
	size_t told;

	(void)state;
	fill();
	fix_sql("DELETE FROM account");
	assert_int_equal(forget_bob(&told), NATIVE_NONE);
	assert_int_equal(rows(), 2);
}

#ifdef WITH_FAULT_POINTS
static void all_goes_or_nothing(void **state)
{
	size_t told;

	(void)state;
	fill();
	fix_fault("forget-row", "fail");
	assert_int_equal(forget_bob(&told), NATIVE_FAILED);
	assert_true(fix_fault_met("forget-row"));
	assert_int_equal(rows(), 3);
	fix_fault("forget-unread", "fail");
	assert_int_equal(forget_bob(&told), NATIVE_FAILED);
	assert_true(fix_fault_met("forget-unread"));
	assert_true(rows() == 0 || rows() == 3);
	(void)forget_bob(&told);
	assert_int_equal(rows(), 0);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_is_told_and_the_policy_is_read_anew),
		cmocka_unit_test(a_name_that_is_no_account_loses_nothing),
#ifdef WITH_FAULT_POINTS
		cmocka_unit_test(all_goes_or_nothing),
#endif
	};

	return cmocka_run_group_tests(tests, start, end);
}
