/* tests/sql/test_sql_judge.c: what the judge holds and remembers while it
 * asks. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "policy/intake.h"
#include "tests/sql/fixture.h"

enum { WAIT_MS = 10000 };

static struct judge judge;

static int start(void **state)
{
	struct buf dir = BUF_INIT(4096), why = BUF_INIT(4096);
	const char *top = getenv("top_srcdir");

	if (fix_start(state) != 0)
		return -1;
	log_off();
	buf_printf(&dir, "%s/sql/profiles", top ? top : ".");
	judge.profile = profile_load(buf_cstr(&dir), "native", &why);
	buf_release(&dir);
	buf_release(&why);
	judge.memory = judge_memory_new();
	fix_sql("INSERT INTO domain (name, created_at)"
		" VALUES ('j.test', UTC_TIMESTAMP())");
	fix_sql("INSERT INTO account (address, domain, password, created_at)"
		" VALUES ('alice@j.test', 'j.test', '', UTC_TIMESTAMP())");
	fix_sql("INSERT INTO alias VALUES"
		" ('list@j.test', 'alice@j.test', UTC_TIMESTAMP())");
	return judge.profile && judge.memory ? 0 : -1;
}

static int end(void **state)
{
	struct profile *p = (struct profile *)(uintptr_t)judge.profile;

	judge_memory_free(&judge.memory);
	profile_free(&p);
	return fix_end(state);
}

/* With this configuration, and as many connections. */
static int open_judge(const char *lines, size_t connections)
{
	judge.conf = fix_conf_with(lines);
	judge.store = fix_pool(PROG_MILTER, connections);
	judge.accounts = fix_pool(PROG_MILTER, connections);
	return 0;
}

static int open_judges(void **state)
{
	(void)state;
	return open_judge("default_mode = pass\n", 1);
}

static int close_judges(void **state)
{
	struct conf *c = (struct conf *)(uintptr_t)judge.conf;

	(void)state;
	pool_free(&judge.store);
	pool_free(&judge.accounts);
	conf_unref(&c);
	return 0;
}

static struct judged_rcpt ask(const char *rcpt)
{
	const struct judge_client client = { .role = JUDGE_FULL };
	struct judge_message message;
	struct judged_rcpt r;
	struct verdict v;

	judge_mail(&judge, &client, SPAN_EMPTY, 0, deadline_in(WAIT_MS),
		   &message, &v);
	judge_rcpt(&judge, &client, &message, span_of(rcpt),
		   deadline_in(WAIT_MS), &r);
	return r;
}

static void *ask_list(void *arg)
{
	struct judged_rcpt *r = arg;

	*r = ask("<list@j.test>");
	return NULL;
}

/* Another decision has the one connection to the accounts, and next wants that
 * to the store. */
static void who_waits_for_a_connection_holds_none(void **state)
{
	struct judged_rcpt r = ask("<other@j.test>"); /* the domain is known */
	struct db *accounts, *store;
	pthread_t thread;

	(void)state;
	judged_release(&r);
	fix_sql("INSERT INTO served VALUES ('list@j.test', 'store')");
	accounts = pool_get(judge.accounts, deadline_in(WAIT_MS));
	assert_non_null(accounts);
	assert_int_equal(pthread_create(&thread, NULL, ask_list, &r), 0);
	(void)usleep(200000); /* now it waits for the accounts */
	store = pool_get(judge.store, deadline_in(WAIT_MS / 4));
	if (store)
		pool_put(judge.store, &store);
	else
		store = accounts;
	pool_put(judge.accounts, &accounts);
	pthread_join(thread, NULL);
	assert_int_equal(r.verdict.id, R_NONE);
	judged_release(&r);
	assert_null(store);
}

/* What one decision remembered is not renewed by another that uses it. */
static void a_mode_is_old_after_a_second_whoever_used_it(void **state)
{
	struct judged_rcpt r;

	(void)state;
	fix_sql("REPLACE INTO served VALUES ('list@j.test', 'store')");
	(void)usleep(1100000);
	r = ask("<alice@j.test>"); /* remembers: pass */
	assert_int_equal(r.n, 0);
	judged_release(&r);
	fix_sql("INSERT INTO served VALUES ('alice@j.test', 'store')");
	(void)usleep(600000);
	r = ask("<list@j.test>"); /* within that second */
	judged_release(&r);
	(void)usleep(600000);
	r = ask("<list@j.test>");
	assert_int_equal(r.n, 1);
	assert_int_equal(r.target[0].kind, JUDGED_STORE);
	judged_release(&r);
}

/* A mail holds no more addresses than this, however they were reached. */
static void the_targets_of_a_mail_are_bounded(void **state)
{
	struct intake in = { 0 };
	struct judged_rcpt r = { .n = INTAKE_TARGETS_MAX / 2 };
	size_t size = sizeof(*r.target);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		r.n = INTAKE_TARGETS_MAX / 2;
		r.target = calloc(r.n, size);
		assert_non_null(r.target);
		for (size_t k = 0; k < r.n; k++)
			r.target[k].kind = JUDGED_FOREIGN;
		assert_int_equal(intake_add(&in, SPAN_LIT("<l@j.test>"), &r),
				 i < 2 ? R_NONE : R_RCPT_TOO_MANY);
		assert_null(r.target);
	}
	assert_int_equal(intake_add(&in, SPAN_LIT("<x@y.test>"), &r), R_NONE);
	intake_reset(&in);
	assert_int_equal(in.ntarget, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			who_waits_for_a_connection_holds_none, open_judges,
			close_judges),
		cmocka_unit_test_setup_teardown(
			a_mode_is_old_after_a_second_whoever_used_it,
			open_judges, close_judges),
		cmocka_unit_test(the_targets_of_a_mail_are_bounded),
	};

	return cmocka_run_group_tests(tests, start, end);
}
