/* What a daemon counts can be read by another process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/metric.h"

static char dir[64];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_metric.XXXXXX");
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

/* A copy, so that no test has to free it. */
static const struct metric_file *reading(void)
{
	static struct metric_file copy;
	struct metric_file *f = metric_read(dir, "daemon");

	assert_non_null(f);
	copy = *f;
	free(f);
	return &copy;
}

static uint64_t total(enum metric_id m, const char *name)
{
	const struct metric_file *f;

	f = reading();
	for (size_t i = 0; i < f->n; i++)
		if (f->value[i].id == m && strcmp(f->value[i].name, name) == 0)
			return f->value[i].total;
	return 0;
}

static void what_was_counted_is_read(void **state)
{
	const struct metric_file *f;

	(void)state;
	metric_open(dir, "daemon", false);
	metric_add(M_SESSION, 1);
	metric_add(M_MAIL_OCTETS, 5000000000);
	metric_add(M_MAIL_OCTETS, 2);
	metric_add_named(M_REJECTED, "known");
	metric_add_named(M_REJECTED, "known");
	metric_add_named(M_DB_ERROR, "known");
	metric_set(M_SESSIONS, 7);
	metric_set(M_SESSIONS, 6);
	f = reading();
	assert_int_equal(f->pid, getpid());
	assert_int_equal(total(M_SESSION, ""), 1);
	assert_int_equal(total(M_MAIL_OCTETS, ""), 5000000002);
	assert_int_equal(total(M_REJECTED, "known"), 2);
	assert_int_equal(total(M_DB_ERROR, "known"), 1);
	assert_int_equal(total(M_REJECTED, "other"), 0);
	assert_int_equal(total(M_SESSIONS, ""), 6);
	assert_int_equal(total(M_RETR, ""), 0);
}

static void names_come_in_their_order_below_their_row(void **state)
{
	const struct metric_file *f;
	size_t i = 0;

	(void)state;
	metric_open(dir, "daemon", false);
	metric_add_named(M_DB_ERROR, "b");
	metric_add_named(M_REJECTED, "z");
	metric_add_named(M_REJECTED, "a");
	f = reading();
	while (f->value[i].id != M_REJECTED)
		i++;
	assert_string_equal(f->value[i].name, "a");
	assert_string_equal(f->value[i + 1].name, "z");
	assert_true(f->value[f->n - 1].id == M_DB_ERROR);
}

static void a_duration_falls_into_its_bucket(void **state)
{
	const struct metric_file *f;

	(void)state;
	metric_open(dir, "daemon", false);
	metric_add_time(M_RCPT_SECONDS, clock_us() - 2000);
	metric_add_time(M_RCPT_SECONDS, clock_us() - 3600000000);
	metric_add_time(M_RCPT_SECONDS, clock_us() + 1000000);
	f = reading();
	for (size_t i = 0; i < f->n; i++) {
		const struct metric_value *v = &f->value[i];

		if (v->id != M_RCPT_SECONDS)
			continue;
		assert_int_equal(v->total, 3);
		assert_int_equal(v->bucket[0], 1);
		assert_int_equal(v->bucket[METRIC_BUCKETS - 1], 1);
		assert_true(v->us >= 3600002000 && v->us < 3700000000);
		return;
	}
	fail();
}

static void a_new_start_begins_at_zero(void **state)
{
	(void)state;
	metric_open(dir, "daemon", false);
	metric_add(M_SESSION, 1);
	metric_open(dir, "daemon", false);
	assert_int_equal(total(M_SESSION, ""), 0);
}

/* As after an execve(): the child that counts in it is still there. */
static void a_start_again_goes_on(void **state)
{
	struct metric_file *f;

	(void)state;
	metric_open(dir, "daemon", false);
	metric_add(M_SESSION, 1);
	metric_add_named(M_REJECTED, "known");
	metric_open(dir, "daemon", true);
	metric_add(M_SESSION, 1);
	metric_add_named(M_REJECTED, "known");
	assert_int_equal(total(M_SESSION, ""), 2);
	assert_int_equal(total(M_REJECTED, "known"), 2);
	f = metric_read(dir, "daemon");
	assert_non_null(f);
	assert_int_equal(f->pid, getpid());
	free(f);
}

static void what_another_process_left_is_not_gone_on_with(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		metric_open(dir, "daemon", false);
		metric_add(M_SESSION, 1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(total(M_SESSION, ""), 1);
	metric_open(dir, "daemon", true);
	assert_int_equal(total(M_SESSION, ""), 0);
	metric_add(M_SESSION, 1);
	assert_int_equal(total(M_SESSION, ""), 1);
}

static void children_count_too(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	metric_open(dir, "daemon", false);
	pid = fork();
	if (pid == 0) {
		metric_add_named(M_REJECTED, "child");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(total(M_REJECTED, "child"), 1);
}

/* A session process of POP3 has no way to them. */
static void a_child_that_closed_it_counts_nothing(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	metric_open(dir, "daemon", false);
	pid = fork();
	if (pid == 0) {
		metric_close();
		metric_add(M_SESSION, 1);
		metric_add_named(M_REJECTED, "child");
		metric_set(M_SESSIONS, 1);
		metric_add_time(M_RCPT_SECONDS, 0);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(total(M_SESSION, ""), 0);
	assert_int_equal(total(M_REJECTED, "child"), 0);
	assert_int_equal(total(M_SESSIONS, ""), 0);
}

static void *count_many(void *arg)
{
	for (int i = 0; i < 10000; i++)
		metric_add_named(M_REJECTED, arg);
	return NULL;
}

static void threads_lose_nothing(void **state)
{
	static char name[] = "many";
	pthread_t t[4];

	(void)state;
	metric_open(dir, "daemon", false);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, count_many, name),
				 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(total(M_REJECTED, "many"), 40000);
}

static void too_many_names_and_too_long_ones_do_no_harm(void **state)
{
	const struct metric_file *f;
	char name[100];

	(void)state;
	metric_open(dir, "daemon", false);
	for (int i = 0; i < 2 * METRIC_NAMES; i++) {
		snprintf(name, sizeof(name), "name %d", i);
		metric_add_named(M_REJECTED, name);
	}
	assert_int_equal(total(M_REJECTED, "name 0"), 1);
	assert_int_equal(total(M_REJECTED, "name 150"), 0);
	metric_open(dir, "daemon", false);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	metric_add_named(M_REJECTED, name);
	metric_add_named(M_REJECTED, name);
	f = reading();
	for (size_t i = 0; i < f->n; i++)
		if (f->value[i].id == M_REJECTED)
			assert_int_equal(strlen(f->value[i].name),
					 METRIC_NAME_MAX);
	name[METRIC_NAME_MAX] = '\0';
	assert_int_equal(total(M_REJECTED, name), 2);
}

static void without_a_directory_nothing_is_counted(void **state)
{
	struct metric_file *f;

	(void)state;
	metric_open("/nonexistent", "daemon", false);
	metric_add(M_SESSION, 1);
	f = metric_read("/nonexistent", "daemon");
	assert_null(f);
	assert_int_equal(errno, ENOENT);
}

static void a_file_of_another_kind_is_not_read(void **state)
{
	char path[128];
	struct metric_file *f;
	FILE *out;

	(void)state;
	snprintf(path, sizeof(path), "%s/daemon", dir);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs("something else", out);
	assert_int_equal(fclose(out), 0);
	f = metric_read(dir, "daemon");
	assert_null(f);
	assert_int_equal(errno, EINVAL);
	metric_open(dir, "daemon", true);
	metric_add(M_SESSION, 1);
	assert_int_equal(total(M_SESSION, ""), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_counted_is_read),
		cmocka_unit_test(names_come_in_their_order_below_their_row),
		cmocka_unit_test(a_duration_falls_into_its_bucket),
		cmocka_unit_test(a_new_start_begins_at_zero),
		cmocka_unit_test(a_start_again_goes_on),
		cmocka_unit_test(what_another_process_left_is_not_gone_on_with),
		cmocka_unit_test(children_count_too),
		cmocka_unit_test(a_child_that_closed_it_counts_nothing),
		cmocka_unit_test(threads_lose_nothing),
		cmocka_unit_test(too_many_names_and_too_long_ones_do_no_harm),
		cmocka_unit_test(without_a_directory_nothing_is_counted),
		cmocka_unit_test(a_file_of_another_kind_is_not_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
