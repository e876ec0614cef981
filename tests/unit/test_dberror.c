/* tests/unit/test_dberror.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "sql/dberror.h"

static void each_number_has_the_class_that_callers_act_on(void **state)
{
	static const struct {
		unsigned code;
		enum db_result result;
	} row[] = {
		{ 1062, DB_DUP },   { 1213, DB_RETRY }, { 1205, DB_RETRY },
		{ 1020, DB_RETRY }, { 3101, DB_RETRY }, { 1047, DB_DOWN },
		{ 1180, DB_DOWN },  { 1053, DB_DOWN },  { 1290, DB_DOWN },
		{ 1836, DB_DOWN },  { 1040, DB_DOWN },  { 1203, DB_DOWN },
		{ 1129, DB_DOWN },  { 2002, DB_DOWN },  { 2003, DB_DOWN },
		{ 2006, DB_DOWN },  { 2013, DB_DOWN },  { 2055, DB_DOWN },
		{ 1927, DB_DOWN },  { 1021, DB_DOWN },  { 1114, DB_DOWN },
		{ 1046, DB_DOWN },  { 2008, DB_DOWN },  { 2014, DB_DOWN },
		{ 1045, DB_OURS },  { 1142, DB_OURS },  { 1146, DB_OURS },
		{ 1406, DB_OURS },  { 1054, DB_OURS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		const struct dberror *e = dberror_find(row[i].code);

		assert_int_equal(e->code, row[i].code);
		assert_int_equal(e->result, row[i].result);
		assert_true(strlen(e->text) > 0);
	}
}

static void a_number_nobody_knows_is_ours_and_shows_no_server_text(void **state)
{
	const struct dberror *e = dberror_find(65000);

	(void)state;
	assert_int_equal(e->result, DB_OURS);
	assert_false(e->names_only);
}

/* What is read next on that connection could be the rest of an answer. */
static void a_failure_of_the_library_ends_the_connection(void **state)
{
	static const unsigned code[] = { 0, 2000, 2023, 2031, 2999 };

	(void)state;
	for (size_t i = 0; i < sizeof(code) / sizeof(*code); i++)
		assert_int_equal(dberror_find(code[i])->result, DB_DOWN);
}

/* Their texts quote the values of a row. */
static void errors_that_quote_data_keep_the_servers_text_back(void **state)
{
	static const unsigned code[] = { 1062, 1586, 1366, 1690, 1022, 1169 };

	(void)state;
	for (size_t i = 0; i < sizeof(code) / sizeof(*code); i++)
		assert_false(dberror_find(code[i])->names_only);
}

static void every_class_has_a_text(void **state)
{
	(void)state;
	for (int r = DB_OK; r <= DB_OURS; r++)
		assert_true(strlen(db_result_text((enum db_result)r)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_number_has_the_class_that_callers_act_on),
		cmocka_unit_test(
			a_number_nobody_knows_is_ours_and_shows_no_server_text),
		cmocka_unit_test(a_failure_of_the_library_ends_the_connection),
		cmocka_unit_test(
			errors_that_quote_data_keep_the_servers_text_back),
		cmocka_unit_test(every_class_has_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
