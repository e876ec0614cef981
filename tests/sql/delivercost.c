/* tests/sql/delivercost.c: what deliver_commit() of a 4 KiB mail costs:
 * mails/s, and CPU of ours and of the server. A tool, not a test.
 * MAILROW_COST_LIMITS=N: each mail is charged to N limits of its sender. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "tests/sql/fixture.h"
#include "tests/sql/mailing.h"

enum { THREADS_MAX = 8, MS = 5000 };

static struct pool *pool;
static uint64_t box[THREADS_MAX];
static int64_t until;
static atomic_uint mails;

static bool charge(struct mailing *g, size_t i, size_t limits)
{
	static const char *const senders[THREADS_MAX] = { "a", "b", "c", "d",
							  "e", "f", "g", "h" };
	bool ok = true;

	for (size_t k = 0; k < limits; k++) {
		const struct charge c = {
			.usage = { .key = { span_of(senders[i]), LIMIT_OUT,
					    60 + (uint32_t)k },
				   .add = { 1, 1, 4096 },
				   .most = { 1 << 30, 1 << 30, UINT64_MAX },
				   .near = { 1 << 30, 1 << 30, UINT64_MAX } }
		};

		ok = ok && charges_add(&g->charges, &c);
	}
	return ok;
}

static void *deliver(void *arg)
{
	const char *limits = getenv("MAILROW_COST_LIMITS");
	uint64_t n = 0;
	static char text[4096];
	size_t i = *(size_t *)arg;

	(void)span_u64(span_of(limits), &n);
	while (clock_ms() < until) {
		struct mailing g;
		char key[17];

		snprintf(key, sizeof(key), "%zu-%u", i, atomic_load(&mails));
		if (!mailing_make(&g, span_make(text, sizeof(text)), key))
			break;
		if (!charge(&g, i, n))
			break;
		mailing_to(&g, box[i]);
		if (mailing_send(&g, pool, 10000) == DELIVER_OK &&
		    !g.t[0].duplicate_r)
			atomic_fetch_add(&mails, 1);
		mailing_release(&g);
	}
	return NULL;
}

/* User and system time of the server, in clock ticks. */
static double server_seconds(void)
{
	char path[64], line[1024], *p;
	unsigned long user = 0, sys = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat",
		 getenv("MAILROW_TEST_SERVER_PID"));
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	p = strrchr(line, ')');
	assert_non_null(p);
	assert_int_equal(sscanf(p + 1,
				" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u"
				" %lu %lu",
				&user, &sys),
			 2);
	return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

static double our_seconds(void)
{
	struct rusage u;

	assert_int_equal(getrusage(RUSAGE_SELF, &u), 0);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static uint64_t log_writes(void)
{
	return fix_number("SELECT VARIABLE_VALUE FROM"
			  " information_schema.GLOBAL_STATUS"
			  " WHERE VARIABLE_NAME = 'Innodb_log_writes'");
}

static void measure(size_t threads)
{
	double ours = our_seconds(), server = server_seconds(), n;
	uint64_t writes = log_writes();
	int64_t begin = clock_ms();
	pthread_t thread[THREADS_MAX];
	size_t number[THREADS_MAX];

	atomic_store(&mails, 0);
	fix_sql("DELETE FROM receipt");
	until = begin + MS;
	for (size_t i = 0; i < threads; i++) {
		number[i] = i;
		assert_int_equal(
			pthread_create(&thread[i], NULL, deliver, &number[i]),
			0);
	}
	for (size_t i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	n = atomic_load(&mails);
	print_message("%zu threads: %.0f mails/s, CPU a mail: ours %.0f us,"
		      " server %.0f us, log writes a mail %.2f\n",
		      threads, n * 1000 / (double)(clock_ms() - begin),
		      (our_seconds() - ours) * 1e6 / n,
		      (server_seconds() - server) * 1e6 / n,
		      (double)(log_writes() - writes) / n);
}

static void cost(void **state)
{
	(void)state;
	pool = fix_pool(PROG_MILTER, THREADS_MAX);
	for (size_t i = 0; i < THREADS_MAX; i++) {
		char address[64];

		snprintf(address, sizeof(address), "cost%zu@example.org", i);
		box[i] = fix_box(address);
	}
	measure(1);
	measure(8);
	pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(cost) };

	return cmocka_run_group_tests(tests, fix_start, fix_end);
}
