/* tests/unit/test_optfile.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sql/optfile.h"

static struct optfile scan(const char *text)
{
	struct optfile o;

	optfile_scan(span_of(text), SPAN_LIT("mailrow-milter"), &o);
	return o;
}

static void only_our_group_and_the_common_ones_name_our_database(void **state)
{
	(void)state;
	assert_true(scan("[mailrow-milter]\ndatabase = mail\n").has_database);
	assert_true(scan("[client]\ndatabase=mail\n").has_database);
	assert_false(scan("[mysql]\ndatabase=mail\n").has_database);
	assert_false(scan("[mailrow-milter]\n#database=mail\n").has_database);
	assert_false(scan("[mailrow-milter]\ndatabase=\n").has_database);
	assert_false(scan("database=mail\n").has_database);
}

static void a_group_counts_only_by_its_whole_name(void **state)
{
	(void)state;
	assert_true(scan("[mailrow-milter]").has_group);
	assert_true(scan("x=1\n  [mailrow-milter]  \n").has_group);
	assert_false(scan("[mailrow-milter-accounts]\n").has_group);
	assert_false(scan("").has_group);
}

static void a_password_is_noticed_in_any_group(void **state)
{
	(void)state;
	assert_true(scan("[other]\n password = x\n").has_password);
	assert_false(scan("[other]\npassword\n").has_password);
	assert_false(scan("[other]\npassword=\n").has_password);
}

static char path[64];

static void write_file(const char *text, mode_t mode)
{
	int fd;
	FILE *f;

	snprintf(path, sizeof(path), "/tmp/optfile.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static bool load(struct buf *why)
{
	struct optfile o;

	return optfile_load(path, SPAN_LIT("mailrow-milter"), &o, why);
}

static void a_password_that_everybody_may_read_is_rejected(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		bool good;
	} row[] = {
		{ "[mailrow-milter]\npassword=x\n", 0644, false },
		{ "[mailrow-milter]\npassword=x\n", 0604, false },
		{ "[mailrow-milter]\npassword=x\n", 0640, true },
		{ "[mailrow-milter]\nuser=x\n", 0644, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct buf why = BUF_INIT(1024);

		write_file(row[i].text, row[i].mode);
		assert_int_equal(load(&why), row[i].good);
		assert_int_equal(why.n == 0, row[i].good);
		buf_release(&why);
		unlink(path);
	}
}

static void the_user_is_that_of_our_group(void **state)
{
	static const struct {
		const char *text, *user;
	} rows[] = {
		{ "[g]\nuser = joe \n", "joe" },
		{ "[other]\nuser=x\n[g]\nsocket=/s\n", "" },
		{ "[client]\nuser=a\n[g]\nuser=b\n", "b" },
	};
	struct optfile o;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		optfile_scan(span_of(rows[i].text), SPAN_LIT("g"), &o);
		assert_string_equal(o.user, rows[i].user);
	}
}

static void a_missing_file_and_a_directory_are_named(void **state)
{
	struct buf why = BUF_INIT(1024);

	(void)state;
	snprintf(path, sizeof(path), "/nonexistent/a.cnf");
	assert_false(load(&why));
	assert_non_null(strstr(buf_cstr(&why), "/nonexistent/a.cnf"));
	snprintf(path, sizeof(path), "/tmp");
	buf_reset(&why);
	assert_false(load(&why));
	assert_true(why.n > 0);
	buf_release(&why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			only_our_group_and_the_common_ones_name_our_database),
		cmocka_unit_test(a_group_counts_only_by_its_whole_name),
		cmocka_unit_test(a_password_is_noticed_in_any_group),
		cmocka_unit_test(
			a_password_that_everybody_may_read_is_rejected),
		cmocka_unit_test(the_user_is_that_of_our_group),
		cmocka_unit_test(a_missing_file_and_a_directory_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
