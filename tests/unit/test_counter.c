/* What a daemon counts can be read by another process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/counter.h"

static char dir[64];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_counter.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/daemon", dir);
	(void)unlink(path);
	return rmdir(dir);
}

static uint64_t total(const char *name)
{
	struct counter_file f;

	assert_true(counter_read(dir, "daemon", &f));
	for (int i = 0; i < f.n; i++)
		if (strcmp(f.value[i].name, name) == 0)
			return f.value[i].total;
	return 0;
}

static void what_was_counted_is_read(void **state)
{
	struct counter_file f;

	(void)state;
	counter_open(dir, "daemon", true);
	counter_add("one");
	counter_add("two");
	counter_add("two");
	assert_true(counter_read(dir, "daemon", &f));
	assert_int_equal(f.n, 2);
	assert_int_equal(f.pid, getpid());
	assert_int_equal(total("one"), 1);
	assert_int_equal(total("two"), 2);
	assert_int_equal(total("three"), 0);
}

static void a_new_start_begins_at_zero(void **state)
{
	(void)state;
	counter_open(dir, "daemon", true);
	counter_add("one");
	counter_open(dir, "daemon", true);
	assert_int_equal(total("one"), 0);
}

static void children_count_too(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	counter_open(dir, "daemon", true);
	pid = fork();
	if (pid == 0) {
		counter_add("child");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(total("child"), 1);
}

/* A session process of POP3 has no way to the counters. */
static void children_that_shall_not_cannot(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	counter_open(dir, "daemon", false);
	counter_add("parent");
	pid = fork();
	if (pid == 0) {
		(void)signal(SIGSEGV, SIG_DFL);
		counter_add("child");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(total("child"), 0);
	assert_int_equal(total("parent"), 1);
}

static void *count_many(void *arg)
{
	for (int i = 0; i < 10000; i++)
		counter_add(arg);
	return NULL;
}

static void threads_lose_nothing(void **state)
{
	static char name[] = "many";
	pthread_t t[4];

	(void)state;
	counter_open(dir, "daemon", true);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, count_many, name),
				 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(total("many"), 40000);
}

static void too_many_names_and_too_long_ones_do_no_harm(void **state)
{
	struct counter_file f;
	char name[100];

	(void)state;
	counter_open(dir, "daemon", true);
	for (int i = 0; i < 2 * COUNTERS_MAX; i++) {
		snprintf(name, sizeof(name), "name %d", i);
		counter_add(name);
	}
	assert_true(counter_read(dir, "daemon", &f));
	assert_int_equal(f.n, COUNTERS_MAX);
	counter_open(dir, "daemon", true);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	counter_add(name);
	counter_add(name);
	assert_true(counter_read(dir, "daemon", &f));
	assert_int_equal(f.n, 1);
	assert_int_equal(f.value[0].total, 2);
	assert_int_equal(strlen(f.value[0].name), COUNTER_NAME_MAX);
}

static void without_a_directory_nothing_is_counted(void **state)
{
	struct counter_file f;

	(void)state;
	counter_open("/nonexistent", "daemon", true);
	counter_add("one");
	assert_false(counter_read("/nonexistent", "daemon", &f));
	assert_int_equal(errno, ENOENT);
}

static void a_file_of_another_kind_is_not_read(void **state)
{
	char path[128];
	struct counter_file f;
	FILE *out;

	(void)state;
	snprintf(path, sizeof(path), "%s/daemon", dir);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs("something else", out);
	assert_int_equal(fclose(out), 0);
	assert_false(counter_read(dir, "daemon", &f));
	assert_int_equal(errno, EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_counted_is_read),
		cmocka_unit_test(a_new_start_begins_at_zero),
		cmocka_unit_test(children_count_too),
		cmocka_unit_test(children_that_shall_not_cannot),
		cmocka_unit_test(threads_lose_nothing),
		cmocka_unit_test(too_many_names_and_too_long_ones_do_no_harm),
		cmocka_unit_test(without_a_directory_nothing_is_counted),
		cmocka_unit_test(a_file_of_another_kind_is_not_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
