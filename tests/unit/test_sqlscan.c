/* tests/unit/test_sqlscan.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "sql/schema.h"
#include "sql/sqlscan.h"

/* Collects the names, and takes all but "no". */
static bool collect(void *arg, struct span name, unsigned line)
{
	(void)line;
	buf_put_span(arg, name);
	buf_putc(arg, ',');
	return !span_is(name, "no");
}

static const struct {
	const char *sql, *out, *names;
} good[] = {
	{ "SELECT 1", "SELECT 1", "" },
	{ " select a FROM t WHERE x = :address;", "select a FROM t WHERE x = ?",
	  "address," },
	{ "SELECT :a,:b_2,:a", "SELECT ?,?,?", "a,b_2,a," },
	{ "SELECT ':a', \":b\", `:c`, :d", "SELECT ':a', \":b\", `:c`, ?",
	  "d," },
	{ "SELECT 'it''s :a', 'b\\':c' , :d", "SELECT 'it''s :a', 'b\\':c' , ?",
	  "d," },
	{ "SELECT `a\\`, :b", "SELECT `a\\`, ?", "b," },
	{ "SELECT 1 -- :a ; '\n, :b", "SELECT 1 , ?", "b," },
	{ "SELECT 1 # :a '\n, :b", "SELECT 1 , ?", "b," },
	{ "SELECT 1 /* :a ; ' */ , :b", "SELECT 1 , ?", "b," },
	{ "SELECT 3--1", "SELECT 3--1", "" },
	{ "/* x */ (SELECT 1)", "(SELECT 1)", "" },
	{ "SELECT a.update, `into` FROM t", "SELECT a.update, `into` FROM t",
	  "" },
	{ "SELECT 1 ; -- end\n", "SELECT 1 ", "" },
};

static void parameters_become_marks_outside_quotes_and_comments(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct buf out = BUF_INIT(1000), names = BUF_INIT(1000);
		unsigned line = 1;
		const char *mistake = sqlscan_select(
			span_of(good[i].sql), &line, collect, &names, &out);

		assert_string_equal(mistake ? mistake : "right", "right");
		assert_string_equal(buf_cstr(&out), good[i].out);
		assert_string_equal(buf_cstr(&names), good[i].names);
		buf_release(&out);
		buf_release(&names);
	}
}

static const struct {
	const char *sql, *word;
	unsigned line;
} bad[] = {
	{ "", "not a SELECT", 1 },
	{ "-- nothing", "not a SELECT", 1 },
	{ "DELETE FROM t", "not a SELECT", 1 },
	{ "WITH x AS (SELECT 1) SELECT 1", "not a SELECT", 1 },
	{ "'SELECT'", "not a SELECT", 1 },
	{ "; SELECT 1", "not a SELECT", 1 },
	{ "SELECT 1; DROP TABLE t", "more than one", 1 },
	{ "SELECT 1\n;\n;", "more than one", 3 },
	{ "SELECT 'a\n", "does not end", 1 },
	{ "SELECT `a", "does not end", 1 },
	{ "SELECT 1 /* x", "does not end", 1 },
	{ "SELECT 1 /*! INTO OUTFILE 'x' */", "may execute", 1 },
	{ "SELECT 1 /*M! , 2 */", "may execute", 1 },
	{ "SELECT 1\nINTO OUTFILE 'x'", "more than select", 2 },
	{ "SELECT 1 FROM t FOR update", "more than select", 1 },
	{ "SELECT 1 LOCK IN SHARE MODE", "more than select", 1 },
	{ "SELECT ?", "'?'", 1 },
	{ "SELECT @a := 1", "':'", 1 },
};

static void what_is_no_single_select_is_a_mistake_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct buf out = BUF_INIT(1000), names = BUF_INIT(1000);
		unsigned line = 1;
		const char *mistake = sqlscan_select(span_of(bad[i].sql), &line,
						     collect, &names, &out);

		assert_non_null(mistake);
		assert_non_null(strstr(mistake, bad[i].word));
		assert_int_equal(line, bad[i].line);
		buf_release(&out);
		buf_release(&names);
	}
}

static void a_parameter_that_is_not_taken_ends_the_reading(void **state)
{
	struct buf out = BUF_INIT(1000), names = BUF_INIT(1000);
	unsigned line = 7;
	const char *mistake = sqlscan_select(SPAN_LIT("SELECT\n\n:no, :b"),
					     &line, collect, &names, &out);

	(void)state;
	assert_string_equal(mistake, "");
	assert_int_equal(line, 9);
	assert_string_equal(buf_cstr(&names), "no,");
	buf_release(&out);
	buf_release(&names);
}

static void a_script_is_cut_at_semicolons_that_end_statements(void **state)
{
	static const char *const want[] = {
		"CREATE TABLE a (b INT -- one; two\n)",
		"INSERT INTO a VALUES (';', `;`)",
		"CREATE PROCEDURE p() BEGIN SELECT ';'; END", "SELECT 1"
	};
	struct span sql = SPAN_LIT(
		"-- head; of it\nCREATE TABLE a (b INT -- one; two\n);;\n"
		"/* ; */ INSERT INTO a VALUES (';', `;`) ;-- p\nDELIMITER //\n"
		"CREATE PROCEDURE p() BEGIN SELECT ';'; END//\nDELIMITER ;\n"
		"SELECT 1\n -- end\n");
	struct span s;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		assert_true(schema_next_statement(&sql, &s));
		assert_true(span_is(s, want[i]));
	}
	assert_false(schema_next_statement(&sql, &s));
}

/* Any prefix of any of these must be read without reading beyond it. */
static void every_prefix_is_read_to_its_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		for (size_t n = 0; n <= strlen(good[i].sql); n++) {
			char *copy = malloc(n + 1);
			struct span s, piece;
			size_t sum = 0;

			assert_non_null(copy);
			memcpy(copy, good[i].sql, n);
			s = span_make(copy, n);
			while (s.n > 0) {
				sqlscan_next(&s, &piece);
				assert_true(piece.n > 0);
				sum += piece.n;
			}
			assert_int_equal(sum, n);
			free(copy);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			parameters_become_marks_outside_quotes_and_comments),
		cmocka_unit_test(
			what_is_no_single_select_is_a_mistake_with_its_line),
		cmocka_unit_test(
			a_parameter_that_is_not_taken_ends_the_reading),
		cmocka_unit_test(
			a_script_is_cut_at_semicolons_that_end_statements),
		cmocka_unit_test(every_prefix_is_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
