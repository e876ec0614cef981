/* tests/sql/test_sql_usage.c: charging a limit says what the pure code says,
 * and many at once charge exactly as much as fits. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "policy/limit.h"
#include "sql/usage.h"
#include "tests/sql/fixture.h"

enum { CHARGERS = 8, CHARGES = 60, LIMIT = 200, DRAWN = 400 };

static struct pool *pool;
static struct db *db;

static int start(void **state)
{
	if (fix_start(state) != 0)
		return -1;
	pool = fix_pool(PROG_MILTER, CHARGERS + 1);
	db = pool_get(pool, deadline_in(1000));
	return 0;
}

static int end(void **state)
{
	pool_put(pool, &db);
	pool_free(&pool);
	return fix_end(state);
}

static struct usage_charge one(const char *subject, uint64_t most)
{
	return (struct usage_charge){
		.key = { span_of(subject), LIMIT_OUT, 3600 },
		.add = { 1, 1, 100 },
		.most = { most, UINT64_MAX, UINT64_MAX },
		.near = { UINT64_MAX, UINT64_MAX, UINT64_MAX },
	};
}

static bool charge(struct usage_charge *c)
{
	bool fits;

	if (usage_charge(db, c, &fits) != DB_OK)
		fail_msg("%s", db_why(db));
	return fits;
}

static uint64_t used(const char *what, const char *subject)
{
	return fix_number("SELECT %s FROM limit_usage WHERE subject = '%s'",
			  what, subject);
}

static void a_row_is_made_when_it_is_first_charged(void **state)
{
	struct usage_charge c = one("a@example.org", 2);

	(void)state;
	assert_true(charge(&c));
	assert_int_equal(used("messages", "a@example.org"), 1);
	assert_int_equal(used("octets", "a@example.org"), 100);
	assert_int_equal(used("ABS(started_at - UNIX_TIMESTAMP()) < 60",
			      "a@example.org"),
			 1);
	assert_true(charge(&c));
	assert_false(charge(&c));
	assert_int_equal(used("messages", "a@example.org"), 2);
	c.key.direction = LIMIT_IN;
	assert_true(charge(&c));
	c.key.seconds = 60;
	assert_true(charge(&c));
	assert_int_equal(used("COUNT(*)", "a@example.org"), 3);
}

static void a_new_window_begins_with_the_charge(void **state)
{
	struct usage_charge c = one("window@example.org", 1);

	(void)state;
	assert_true(charge(&c));
	assert_false(charge(&c));
	fix_sql("UPDATE limit_usage SET started_at = started_at - 3590,"
		" noticed = 3 WHERE subject = 'window@example.org'");
	assert_false(charge(&c));
	fix_sql("UPDATE limit_usage SET started_at = started_at - 10"
		" WHERE subject = 'window@example.org'");
	assert_true(charge(&c));
	assert_int_equal(used("messages", "window@example.org"), 1);
	/* not 3: in the new window only what it says itself */
	assert_int_equal(used("noticed", "window@example.org"),
			 LIMIT_NOTICED_FULL);
	assert_int_equal(used("started_at > UNIX_TIMESTAMP() - 60",
			      "window@example.org"),
			 1);
}

static void who_crosses_a_line_is_told_so_once(void **state)
{
	struct usage_charge c = one("told@example.org", 4);
	unsigned told[5];
	bool mine;

	(void)state;
	c.near.messages = 3;
	for (size_t i = 0; i < 5; i++) {
		(void)charge(&c);
		told[i] = c.told_r;
	}
	assert_int_equal(told[0] | told[1], 0);
	assert_int_equal(told[2], LIMIT_NOTICED_NEAR);
	assert_int_equal(told[3], LIMIT_NOTICED_FULL);
	assert_int_equal(told[4], 0);
	assert_int_equal(used("noticed", "told@example.org"), 3);
	assert_int_equal(usage_notice(db, &c.key, LIMIT_NOTICED_FULL, &mine),
			 DB_OK);
	assert_false(mine);
	fix_sql("UPDATE limit_usage SET noticed = 1"
		" WHERE subject = 'told@example.org'");
	assert_int_equal(usage_notice(db, &c.key, LIMIT_NOTICED_FULL, &mine),
			 DB_OK);
	assert_true(mine);
	c = one("both@example.org", 1);
	c.near.messages = 1;
	assert_true(charge(&c));
	assert_int_equal(c.told_r, LIMIT_NOTICED_NEAR | LIMIT_NOTICED_FULL);
}

struct seen {
	struct usage_row row[8];
	size_t n;
};

static void see(void *arg, const struct usage_row *r)
{
	struct seen *s = arg;

	assert_true(s->n < 8);
	s->row[s->n++] = *r;
}

static void both_subjects_are_read_at_once(void **state)
{
	struct usage_charge c = one("read@example.net", 9);
	struct seen s = { .n = 0 };

	(void)state;
	assert_true(charge(&c));
	c.key.seconds = 60;
	assert_true(charge(&c));
	c.key.subject = SPAN_LIT("@example.net");
	assert_true(charge(&c));
	c.key.direction = LIMIT_IN;
	assert_true(charge(&c));
	assert_int_equal(usage_read(db, LIMIT_OUT, SPAN_LIT("read@example.net"),
				    SPAN_LIT("@example.net"), see, &s),
			 DB_OK);
	assert_int_equal(s.n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(s.row[i].usage.used.messages, 1);
		assert_int_equal(s.row[i].usage.used.octets, 100);
		assert_true(s.row[i].now - s.row[i].usage.started_at < 60);
	}
}

static uint64_t draw(unsigned *seed, uint64_t most)
{
	*seed = *seed * 1103515245U + 12345U;
	return (*seed >> 8) % (most + 1);
}

static uint64_t draw_limit(unsigned *seed)
{
	return draw(seed, 3) == 0 ? UINT64_MAX : draw(seed, 12);
}

/* The row as it is now, or an empty one. */
static void read_row(struct usage_key *k, struct usage_row *r)
{
	struct seen s = { .n = 0 };

	assert_int_equal(
		usage_read(db, k->direction, k->subject, SPAN_EMPTY, see, &s),
		DB_OK);
	memset(r, 0, sizeof(*r));
	if (s.n)
		*r = s.row[0];
}

static void draw_row(unsigned *seed, struct limit_row *row)
{
	struct limit_amount m = { draw_limit(seed), draw_limit(seed),
				  draw_limit(seed) };

	*row = (struct limit_row){ .seconds =
					   60 + (uint32_t)draw(seed, 1) * 3600,
				   .has_messages = m.messages != UINT64_MAX,
				   .has_recipients = m.recipients != UINT64_MAX,
				   .has_octets = m.octets != UINT64_MAX,
				   .messages = m.messages,
				   .recipients = m.recipients,
				   .octets = m.octets };
}

/* Ages at which a window is clearly under way, over, or far ahead. */
static void age_row(unsigned *seed)
{
	static const int ages[] = { 0, 30, 2000, 5000, -600, -90000 };

	fix_sql("UPDATE limit_usage SET started_at = UNIX_TIMESTAMP() - %d"
		" WHERE subject = 'drawn@example.org'",
		ages[draw(seed, 5)]);
}

static void sql_and_the_pure_code_agree(void **state)
{
	unsigned seed = 7, fits = 0;

	(void)state;
	for (unsigned i = 0; i < DRAWN; i++) {
		struct usage_charge c = one("drawn@example.org", 0);
		struct usage_row before, after;
		struct limit_amount was;
		struct limit_row row;
		bool expected;

		draw_row(&seed, &row);
		if (draw(&seed, 9) == 0)
			fix_sql("DELETE FROM limit_usage"
				" WHERE subject = 'drawn@example.org'");
		age_row(&seed);
		fix_sql("UPDATE limit_usage SET seconds = %u"
			" WHERE subject = 'drawn@example.org'",
			row.seconds);
		c.key.seconds = row.seconds;
		c.add = (struct limit_amount){ 1, draw(&seed, 3),
					       draw(&seed, 3) };
		c.most = limit_most(&row);
		read_row(&c.key, &before);
		was = limit_used(&row, &before.usage, clock_unix());
		expected = limit_look(&row, &before.usage, &c.add, clock_unix())
				   .fit == LIMIT_FITS;
		assert_int_equal(charge(&c), expected);
		read_row(&c.key, &after);
		fits += expected;
		if (!expected)
			continue;
		assert_int_equal(after.usage.used.messages, was.messages + 1);
		assert_int_equal(after.usage.used.recipients,
				 was.recipients + c.add.recipients);
		assert_int_equal(after.usage.used.octets,
				 was.octets + c.add.octets);
	}
	assert_true(fits > DRAWN / 4 && fits < DRAWN * 3 / 4);
}

static atomic_uint charged, refused, failed;

static bool charge_in_transaction(struct db *d, struct usage_charge *c,
				  bool *fits)
{
	enum db_result r;

	for (;;) {
		r = db_begin(d);
		if (r == DB_OK)
			r = usage_charge(d, c, fits);
		if (r == DB_OK)
			r = db_commit(d, FAULT_DELIVER_COMMIT_UNREAD);
		if (r == DB_OK)
			return true;
		db_rollback(d);
		if (r != DB_RETRY)
			return false;
	}
}

static void *charge_many(void *arg)
{
	struct db *own = pool_get(pool, deadline_in(5000));

	(void)arg;
	for (int i = 0; i < CHARGES && own; i++) {
		struct usage_charge c = one("many@example.org", LIMIT);
		bool fits;

		if (!charge_in_transaction(own, &c, &fits))
			atomic_fetch_add(&failed, 1);
		else
			atomic_fetch_add(fits ? &charged : &refused, 1);
	}
	pool_put(pool, &own);
	return NULL;
}

static void many_at_once_charge_exactly_the_limit(void **state)
{
	pthread_t t[CHARGERS];

	(void)state;
	for (int i = 0; i < CHARGERS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, charge_many, NULL),
				 0);
	for (int i = 0; i < CHARGERS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(atomic_load(&failed), 0);
	assert_int_equal(atomic_load(&charged), LIMIT);
	assert_int_equal(atomic_load(&refused), CHARGERS * CHARGES - LIMIT);
	assert_int_equal(used("messages", "many@example.org"), LIMIT);
}

static void what_was_rolled_back_was_not_charged(void **state)
{
	struct usage_charge c = one("back@example.org", 1);

	(void)state;
	assert_int_equal(db_begin(db), DB_OK);
	assert_true(charge(&c));
	db_rollback(db);
	assert_true(charge(&c));
	assert_int_equal(used("messages", "back@example.org"), 1);
}

static void no_statement_reads_more_than_its_rows(void **state)
{
	(void)state;
	fix_explain(Q_USAGE_READ, "'out' 'a@example.org' '@example.org'", NULL);
	fix_explain(Q_USAGE_CHARGE,
		    "1 1 1 9 9 9 9 9 9 'a@example.org' 'out' 60 1 9 1 9 1 9",
		    NULL);
	fix_explain(Q_USAGE_NOTICE, "1 'a@example.org' 'out' 60 1", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_is_made_when_it_is_first_charged),
		cmocka_unit_test(a_new_window_begins_with_the_charge),
		cmocka_unit_test(who_crosses_a_line_is_told_so_once),
		cmocka_unit_test(both_subjects_are_read_at_once),
		cmocka_unit_test(sql_and_the_pure_code_agree),
		cmocka_unit_test(many_at_once_charge_exactly_the_limit),
		cmocka_unit_test(what_was_rolled_back_was_not_charged),
		cmocka_unit_test(no_statement_reads_more_than_its_rows),
	};

	return cmocka_run_group_tests_name("usage", tests, start, end);
}
