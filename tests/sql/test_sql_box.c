/* tests/sql/test_sql_box.c: one life of an account, one mailbox row. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "sql/box.h"
#include "tests/sql/fixture.h"
#include "tests/sql/mailing.h"

static struct pool *pool;
static struct db *db;

static int start(void **state)
{
	if (fix_start(state) != 0)
		return -1;
	log_off();
	pool = fix_pool(PROG_MILTER, 4);
	db = pool_get(pool, deadline_in(1000));
	return 0;
}

static int end(void **state)
{
	pool_put(pool, &db);
	pool_free(&pool);
	return fix_end(state);
}

static struct addr address_of(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(span_of(text), true, &a), ADDR_OK);
	return a;
}

static struct box resolve(const char *address, const char *incarnation)
{
	struct addr a = address_of(address);
	struct box b = { 0 };

	if (box_resolve(db, &a, incarnation, deadline_in(60000), &b) != DB_OK)
		fail_msg("%s", db_why(db));
	assert_true(b.mailbox_id > 0);
	return b;
}

static void a_row_is_made_once(void **state)
{
	uint64_t id = resolve("new@example.org", "").mailbox_id;

	(void)state;
	assert_true(resolve("new@example.org", "").mailbox_id == id);
	assert_true(resolve("other@example.org", "").mailbox_id != id);
	assert_int_equal(fix_number("SELECT uid_next FROM mailbox WHERE"
				    " mailbox_id = %llu",
				    (unsigned long long)id),
			 16777216);
}

static void counters_are_told(void **state)
{
	uint64_t id = resolve("count@example.org", "").mailbox_id;
	struct box b;

	(void)state;
	assert_true(mailing_quick(pool, id, "a\r\n") > 0);
	b = resolve("count@example.org", "");
	assert_int_equal(b.messages, 1);
	assert_int_equal(b.octets, strlen(MAILING_TRACE) + 3);
}

static void a_later_account_gets_a_row_of_its_own(void **state)
{
	uint64_t first = resolve("life@example.org", "1").mailbox_id;
	struct box second;

	(void)state;
	assert_true(mailing_quick(pool, first, "of the first\r\n") > 0);
	second = resolve("life@example.org", "2");
	assert_true(second.mailbox_id != first);
	assert_int_equal(second.messages, 0);
	assert_string_equal(fix_text("SELECT COALESCE(address, 'none') FROM"
				     " mailbox WHERE mailbox_id = %llu",
				     (unsigned long long)first),
			    "none");
	assert_string_equal(fix_text("SELECT retired_address FROM mailbox"
				     " WHERE mailbox_id = %llu",
				     (unsigned long long)first),
			    "life@example.org");
	/* nothing is stored in the row of the former life any more */
	assert_true(mailing_quick(pool, first, "late\r\n") == 0);
}

/* A look-up that read the account before it was made anew. */
static void an_older_answer_hides_no_mail_for_good(void **state)
{
	uint64_t first = resolve("flip@example.org", "1").mailbox_id;
	uint64_t second = resolve("flip@example.org", "2").mailbox_id;

	(void)state;
	assert_true(resolve("flip@example.org", "1").mailbox_id == first);
	assert_true(resolve("flip@example.org", "2").mailbox_id == second);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM mailbox WHERE"
				    " 'flip@example.org' IN (address,"
				    " retired_address)"),
			 2);
}

static void a_profile_that_begins_to_tell_incarnations_hides_no_mail(
	void **state)
{
	uint64_t id = resolve("adopt@example.org", "").mailbox_id;

	(void)state;
	assert_true(resolve("adopt@example.org", "7").mailbox_id == id);
	assert_true(resolve("adopt@example.org", "").mailbox_id == id);
	assert_true(resolve("adopt@example.org", "7").mailbox_id == id);
	assert_true(resolve("adopt@example.org", "8").mailbox_id != id);
}

static struct box peek(const char *address, const char *incarnation)
{
	struct addr a = address_of(address);
	struct box b;

	assert_int_equal(box_peek(db, &a, incarnation, &b), DB_OK);
	return b;
}

static void who_only_looks_sees_the_same_and_changes_nothing(void **state)
{
	static const char checksum[] =
		"SELECT COALESCE(SUM(CRC32(CONCAT_WS('|', mailbox_id, address,"
		" incarnation, retired_at, messages))), 0) FROM mailbox";
	uint64_t first, before;

	(void)state;
	before = fix_number(checksum);
	assert_int_equal(peek("peek@example.org", "1").mailbox_id, 0);
	assert_int_equal(fix_number(checksum), before);
	first = resolve("peek@example.org", "1").mailbox_id;
	assert_true(mailing_quick(pool, first, "one\r\n") > 0);
	before = fix_number(checksum);
	assert_int_equal(peek("peek@example.org", "1").mailbox_id, first);
	assert_int_equal(peek("peek@example.org", "1").messages, 1);
	assert_int_equal(peek("peek@example.org", "2").mailbox_id, 0);
	assert_int_equal(fix_number(checksum), before);
	(void)resolve("peek@example.org", "2");
	before = fix_number(checksum);
	assert_int_equal(peek("peek@example.org", "1").mailbox_id, first);
	assert_int_equal(peek("peek@example.org", "1").messages, 1);
	assert_int_equal(peek("peek@example.org", "2").messages, 0);
	assert_int_equal(fix_number(checksum), before);
}

static void *resolve_often(void *arg)
{
	struct db *own = pool_get(pool, deadline_in(5000));
	unsigned *bad = arg;
	struct addr a;
	struct box b;

	if (addr_parse(SPAN_LIT("race@example.org"), true, &a) != ADDR_OK)
		++*bad;
	for (int i = 0; i < 40; i++) {
		enum db_result r = box_resolve(own, &a, i % 2 ? "1" : "2",
					       deadline_in(60000), &b);

		*bad += r != DB_OK && r != DB_RETRY;
	}
	pool_put(pool, &own);
	return NULL;
}

static void resolving_at_once_makes_no_row_twice(void **state)
{
	pthread_t thread[3];
	unsigned bad[3] = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, resolve_often,
						&bad[i]),
				 0);
	for (size_t i = 0; i < 3; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(bad[i], 0);
	}
	assert_int_equal(fix_number("SELECT COUNT(*) FROM mailbox WHERE"
				    " 'race@example.org' IN (address,"
				    " retired_address)"),
			 2);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM mailbox WHERE"
				    " address = 'race@example.org'"),
			 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_is_made_once),
		cmocka_unit_test(counters_are_told),
		cmocka_unit_test(a_later_account_gets_a_row_of_its_own),
		cmocka_unit_test(an_older_answer_hides_no_mail_for_good),
		cmocka_unit_test(
			a_profile_that_begins_to_tell_incarnations_hides_no_mail),
		cmocka_unit_test(
			who_only_looks_sees_the_same_and_changes_nothing),
		cmocka_unit_test(resolving_at_once_makes_no_row_twice),
	};

	return cmocka_run_group_tests(tests, start, end);
}
