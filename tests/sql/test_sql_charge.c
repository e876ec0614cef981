/* tests/sql/test_sql_charge.c: what a mail is charged is committed with it or
 * not at all. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "tests/sql/fixture.h"
#include "tests/sql/mailing.h"

enum { SENDERS = 6, MAILS = 30, LIMIT = 100 };

static struct pool *pool;

static int start(void **state)
{
	if (fix_start(state) != 0)
		return -1;
	pool = fix_pool(PROG_MILTER, SENDERS);
	return 0;
}

static int end(void **state)
{
	pool_free(&pool);
	return fix_end(state);
}

static bool charge_to(struct charges *c, const char *subject, uint64_t most,
		      const bool *waived)
{
	const struct charge one = {
		.usage = { .key = { span_of(subject), LIMIT_OUT, 3600 },
			   .add = { 1, 1, 100 },
			   .most = { most, UINT64_MAX, UINT64_MAX },
			   .near = { UINT64_MAX, UINT64_MAX, UINT64_MAX } },
		.waived = waived
	};

	return charges_add(c, &one);
}

static bool make(struct mailing *g, const char *key, uint64_t box)
{
	if (!mailing_make(g, SPAN_LIT("Subject: x\r\n\r\n"), key))
		return false;
	mailing_to(g, box);
	return true;
}

static uint64_t used(const char *what, const char *subject)
{
	return fix_number("SELECT COALESCE(SUM(%s), 0) FROM limit_usage"
			  " WHERE subject = '%s'",
			  what, subject);
}

static uint64_t mails_of(uint64_t box)
{
	return fix_number(
		"SELECT messages FROM mailbox WHERE mailbox_id = %llu",
		(unsigned long long)box);
}

static enum deliver_result send_charged(const char *key, uint64_t box,
					const char *subject, uint64_t most)
{
	struct mailing g;
	enum deliver_result r;

	assert_true(make(&g, key, box));
	assert_true(charge_to(&g.charges, subject, most, NULL));
	r = mailing_send(&g, pool, 20000);
	assert_int_equal(g.charges.v[0].reached_r, r == DELIVER_LIMIT);
	mailing_release(&g);
	return r;
}

static void beyond_the_limit_nothing_is_stored(void **state)
{
	uint64_t box = fix_box("beyond@example.org");

	(void)state;
	assert_int_equal(send_charged(NULL, box, "b@example.org", 2),
			 DELIVER_OK);
	assert_int_equal(send_charged(NULL, box, "b@example.org", 2),
			 DELIVER_OK);
	assert_int_equal(send_charged(NULL, box, "b@example.org", 2),
			 DELIVER_LIMIT);
	assert_int_equal(mails_of(box), 2);
	assert_int_equal(used("messages", "b@example.org"), 2);
	mailing_check_store(0);
}

/* Not even when the limit is reached meanwhile: it was accepted before. */
static void a_duplicate_is_not_charged(void **state)
{
	uint64_t box = fix_box("duplicate@example.org");

	(void)state;
	assert_int_equal(send_charged("k1", box, "d@example.org", 1),
			 DELIVER_OK);
	assert_int_equal(send_charged("k1", box, "d@example.org", 1),
			 DELIVER_OK);
	assert_int_equal(send_charged("k2", box, "d@example.org", 1),
			 DELIVER_LIMIT);
	assert_int_equal(mails_of(box), 1);
	assert_int_equal(used("messages", "d@example.org"), 1);
}

static void what_is_not_stored_is_not_charged(void **state)
{
	uint64_t box = fix_box("full@example.org");
	struct mailing g;

	(void)state;
	assert_true(make(&g, NULL, box));
	g.t[0].quota = 1;
	assert_true(charge_to(&g.charges, "f@example.org", 9, NULL));
	assert_int_equal(mailing_send(&g, pool, 20000), DELIVER_QUOTA);
	assert_int_equal(used("messages", "f@example.org"), 0);
	mailing_release(&g);
}

/* Two mailboxes of a domain whose limit counts both; one has the mail. */
static void those_who_have_the_mail_are_waived(void **state)
{
	uint64_t a = fix_box("wa@example.org"), b = fix_box("wb@example.org");
	struct mailing g;

	(void)state;
	assert_int_equal(send_charged("waived", a, "w@example.org", 9),
			 DELIVER_OK);
	assert_true(make(&g, "waived", a));
	mailing_to(&g, b);
	for (size_t i = 0; i < 2; i++) {
		const bool *has = &g.t[i].duplicate_r;

		assert_true(charge_to(&g.charges, i ? "wb" : "wa", 9, has));
		assert_true(charge_to(&g.charges, "@w", 9, has));
	}
	assert_int_equal(mailing_send(&g, pool, 20000), DELIVER_OK);
	assert_int_equal(used("messages", "wa"), 0);
	assert_int_equal(used("messages", "wb"), 1);
	assert_int_equal(used("recipients", "@w"), 1);
	mailing_release(&g);
}

static void one_row_is_charged_once_for_all_its_mailboxes(void **state)
{
	uint64_t a = fix_box("sa@example.org"), b = fix_box("sb@example.org");
	struct mailing g;

	(void)state;
	assert_true(make(&g, NULL, a));
	mailing_to(&g, b);
	assert_true(charge_to(&g.charges, "@s", 9, &g.t[0].duplicate_r));
	assert_true(charge_to(&g.charges, "@s", 9, &g.t[1].duplicate_r));
	assert_int_equal(mailing_send(&g, pool, 20000), DELIVER_OK);
	assert_int_equal(used("messages", "@s"), 1);
	assert_int_equal(used("recipients", "@s"), 2);
	assert_int_equal(used("octets", "@s"), 100);
	mailing_release(&g);
}

static void one_of_several_that_is_reached_undoes_the_others(void **state)
{
	struct charges c = { .n = 0 };
	struct buf why = BUF_INIT(1000);

	(void)state;
	assert_true(charge_to(&c, "z@example.org", 0, NULL));
	assert_true(charge_to(&c, "a@example.org", 9, NULL));
	assert_true(charge_to(&c, "@example.org", 9, NULL));
	assert_int_equal(charges_commit(pool, &c, deadline_in(20000), &why),
			 CHARGE_REACHED);
	/* in their order */
	assert_true(span_is(c.v[0].usage.key.subject, "@example.org"));
	assert_false(c.v[0].reached_r);
	assert_true(c.v[2].reached_r);
	assert_int_equal(used("messages", "a@example.org"), 0);
	assert_int_equal(used("messages", "@example.org"), 0);
	charges_release(&c);
	buf_release(&why);
}

static atomic_uint stored, refused, failed;

/* Mails to one mailbox or the other, charged to both of two accounts in an
 * order that differs; half of them store nothing. */
static bool send_one(unsigned seed, unsigned i, const uint64_t *box)
{
	struct mailing g;
	enum deliver_result r = DELIVER_TEMP;
	bool ok =
		make(&g, NULL, box[i % 2]) &&
		charge_to(&g.charges, seed % 2 ? "p" : "q", UINT64_MAX, NULL) &&
		charge_to(&g.charges, "all", LIMIT, NULL) &&
		charge_to(&g.charges, seed % 2 ? "q" : "p", UINT64_MAX, NULL);

	if (ok && i % 2)
		r = mailing_send(&g, pool, 20000);
	else if (ok)
		r = (enum deliver_result[]){
			[CHARGE_OK] = DELIVER_OK,
			[CHARGE_REACHED] = DELIVER_LIMIT,
			[CHARGE_TEMP] = DELIVER_TEMP,
		}[charges_commit(pool, &g.charges, deadline_in(20000), &g.why)];
	if (r == DELIVER_OK)
		atomic_fetch_add(&stored, 1);
	else
		atomic_fetch_add(r == DELIVER_LIMIT ? &refused : &failed, 1);
	mailing_release(&g);
	return ok;
}

static uint64_t shared[2];

static void *send_many(void *arg)
{
	unsigned seed = *(unsigned *)arg;

	for (unsigned i = 0; i < MAILS; i++)
		if (!send_one(seed, i + seed, shared))
			break;
	return NULL;
}

static void many_at_once_are_charged_exactly_the_limit(void **state)
{
	pthread_t t[SENDERS];
	unsigned seed[SENDERS];

	(void)state;
	shared[0] = fix_box("m0@example.org");
	shared[1] = fix_box("m1@example.org");
	for (unsigned i = 0; i < SENDERS; i++) {
		seed[i] = i;
		assert_int_equal(
			pthread_create(&t[i], NULL, send_many, &seed[i]), 0);
	}
	for (int i = 0; i < SENDERS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(atomic_load(&failed), 0);
	assert_int_equal(atomic_load(&stored), LIMIT);
	assert_int_equal(atomic_load(&refused), SENDERS * MAILS - LIMIT);
	assert_int_equal(used("messages", "all"), LIMIT);
	assert_int_equal(used("messages", "p"), LIMIT);
	assert_int_equal(used("messages", "q"), LIMIT);
	mailing_check_store(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beyond_the_limit_nothing_is_stored),
		cmocka_unit_test(a_duplicate_is_not_charged),
		cmocka_unit_test(what_is_not_stored_is_not_charged),
		cmocka_unit_test(those_who_have_the_mail_are_waived),
		cmocka_unit_test(one_row_is_charged_once_for_all_its_mailboxes),
		cmocka_unit_test(
			one_of_several_that_is_reached_undoes_the_others),
		cmocka_unit_test(many_at_once_are_charged_exactly_the_limit),
	};

	return cmocka_run_group_tests_name("charge", tests, start, end);
}
