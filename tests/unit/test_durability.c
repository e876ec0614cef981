/* tests/unit/test_durability.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "sql/durability.h"

static void count_finding(void *arg, const char *finding, const char *remedy)
{
	assert_true(strlen(finding) > 0);
	assert_true(strlen(remedy) > 0);
	++*(int *)arg;
}

static struct durability good(void)
{
	return (struct durability){ .read = true,
				    .flush_log_at_commit = 1,
				    .log_bin = true,
				    .sync_binlog = 1,
				    .doublewrite = true,
				    .strict_mode = true };
}

static void expect(const struct durability *d, int findings)
{
	int n = 0;

	assert_int_equal(durability_judge(d, count_finding, &n), findings == 0);
	assert_int_equal(n, findings);
}

static void a_server_that_flushes_everything_is_durable(void **state)
{
	struct durability d = good();

	(void)state;
	expect(&d, 0);
}

static void each_danger_is_found_by_itself(void **state)
{
	static const struct {
		const char *name;
		bool bad;
	} methods[] = { { "O_DIRECT", false },
			{ "fsync", false },
			{ "nosync", true },
			{ "littlesync", true } };
	struct durability d;

	(void)state;
	for (uint64_t v = 0; v <= 4; v++) {
		d = good();
		d.flush_log_at_commit = v;
		expect(&d, v != 1 && v != 3);
	}
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		d = good();
		snprintf(d.flush_method, sizeof(d.flush_method), "%s",
			 methods[i].name);
		expect(&d, methods[i].bad);
	}
	d = good();
	d.sync_binlog = 0;
	expect(&d, 1);
	d = good();
	d.doublewrite = false;
	expect(&d, 1);
	d = good();
	d.strict_mode = false;
	expect(&d, 1);
	d = good();
	snprintf(d.foreign_table, sizeof(d.foreign_table), "mail");
	expect(&d, 1);
}

static void without_a_binlog_its_flushing_does_not_matter(void **state)
{
	struct durability d = good();

	(void)state;
	d.log_bin = false;
	d.sync_binlog = 0;
	expect(&d, 0);
}

static void all_dangers_are_told_at_once(void **state)
{
	struct durability d = { .log_bin = true,
				.flush_method = "nosync",
				.foreign_table = "x",
				.engine = "Aria" };

	(void)state;
	expect(&d, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_that_flushes_everything_is_durable),
		cmocka_unit_test(each_danger_is_found_by_itself),
		cmocka_unit_test(without_a_binlog_its_flushing_does_not_matter),
		cmocka_unit_test(all_dangers_are_told_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
