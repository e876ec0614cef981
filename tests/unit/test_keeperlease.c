/* tests/unit/test_keeperlease.c: whose keeper this is. */
#include "tests/unit/wire.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pop3d/keeperlease.h"

#define ONE_ID  "0123456789abcdef0123456789abcdef\n"
#define NO_FILE "/nonexistent/machine-id"

static char path[64];

static int setup(void **state)
{
	int fd;

	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/test_keeperlease.XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static struct lease_owner named(char *control, const char *id)
{
	const struct conf c = { .pop3_control_socket = control };
	struct lease_owner o;
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(id ? id : "", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_true(keeperlease_name(&c, id ? path : NO_FILE, &o));
	return o;
}

static bool is_same_holder(const struct lease_owner *a,
			   const struct lease_owner *b)
{
	return strcmp(a->holder, b->holder) == 0;
}

static void a_keepers_successor_has_its_name_and_another_number(void **state)
{
	static char control[] = "/run/control";
	struct lease_owner a = named(control, ONE_ID);
	struct lease_owner b = named(control, ONE_ID);

	(void)state;
	assert_true(is_same_holder(&a, &b));
	assert_memory_not_equal(a.keeper, b.keeper, sizeof(a.keeper));
	a = named(control, NULL);
	b = named(control, NULL);
	assert_true(is_same_holder(&a, &b));
}

static void another_machine_or_service_has_another_name(void **state)
{
	static char control[] = "/run/control", other[] = "/run/other";
	struct lease_owner a = named(control, ONE_ID);
	struct lease_owner b =
		named(control, "0123456789abcdef0123456789abcdee\n");

	(void)state;
	assert_false(is_same_holder(&a, &b));
	b = named(control, NULL);
	assert_false(is_same_holder(&a, &b));
	b = named(other, ONE_ID);
	assert_false(is_same_holder(&a, &b));
}

/* machine-id(5) is not for everybody who reads the database. */
static void the_machines_number_is_not_in_it(void **state)
{
	static char control[] = "/run/control";
	struct lease_owner a = named(control, ONE_ID);

	(void)state;
	assert_null(strstr(a.holder, "0123456789abcdef"));
}

static void a_long_path_fits(void **state)
{
	static char control[108];
	struct lease_owner a;

	(void)state;
	memset(control, 'x', sizeof(control) - 1);
	a = named(control, ONE_ID);
	assert_non_null(strstr(a.holder, control));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_keepers_successor_has_its_name_and_another_number),
		cmocka_unit_test(another_machine_or_service_has_another_name),
		cmocka_unit_test(the_machines_number_is_not_in_it),
		cmocka_unit_test(a_long_path_fits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
