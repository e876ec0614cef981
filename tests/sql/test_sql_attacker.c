/* tests/sql/test_sql_attacker.c: the table of failed logins, as nodes and the
 * tool use it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "sql/attacker.h"
#include "tests/sql/fixture.h"

#define WHO "192.0.2.1"

static struct pool *nodes, *tools;
static struct db *node, *tool;

static int start(void **state)
{
	if (fix_start(state) != 0)
		return -1;
	nodes = fix_pool(PROG_AUTHD, 1);
	tools = fix_pool(PROG_TOOL, 1);
	node = pool_get(nodes, deadline_in(1000));
	tool = pool_get(tools, deadline_in(1000));
	return node && tool ? 0 : -1;
}

static int end(void **state)
{
	pool_put(nodes, &node);
	pool_put(tools, &tool);
	pool_free(&nodes);
	pool_free(&tools);
	return fix_end(state);
}

static int empty(void **state)
{
	(void)state;
	fix_sql("DELETE FROM attacker");
	return 0;
}

static void put(int64_t delta, uint64_t level, uint64_t refused)
{
	const struct attacker_put p = { .who = SPAN_LIT(WHO),
					.delta = delta,
					.level = level,
					.refused = refused };

	if (attacker_put(node, &p) != DB_OK)
		fail_msg("%s", db_why(node));
}

static void age(const char *interval)
{
	fix_sql("UPDATE attacker SET"
		" refused_until = refused_until - INTERVAL %s,"
		" changed_at = changed_at - INTERVAL %s",
		interval, interval);
}

static uint64_t value(const char *column)
{
	return fix_number("SELECT %s FROM attacker WHERE who = '" WHO "'",
			  column);
}

static void weights_add_up_and_fade(void **state)
{
	(void)state;
	put(4000, 0, 0);
	put(3000, 0, 0);
	assert_int_equal(value("weight"), 7000);
	age("10 MINUTE");
	put(1000, 0, 0);
	assert_int_equal(value("weight"), 4500);
	put(-2000, 0, 0);
	assert_int_equal(value("weight"), 2500);
	put(-9000, 0, 0);
	assert_int_equal(value("weight"), 0);
	put(2000000000, 0, 0);
	assert_int_equal(value("weight"), 1000000);
	age("700 DAY");
	put(0, 0, 0);
	assert_int_equal(value("weight"), 0);
}

static void a_new_row_does_not_begin_below_nothing(void **state)
{
	(void)state;
	put(-5000, 0, 0);
	assert_int_equal(value("weight"), 0);
	assert_int_equal(value("refused_until < UTC_TIMESTAMP(6)"
			       " - INTERVAL 1 DAY"),
			 1);
}

static void the_longer_refusal_of_two_nodes_holds(void **state)
{
	(void)state;
	put(9000, 2, 120);
	put(1000, 1, 60);
	assert_int_equal(value("level"), 2);
	assert_true(value("TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6),"
			  " refused_until)") > 100);
	put(1000, 0, 0);
	assert_int_equal(value("level"), 2);
	age("2 DAY");
	put(1000, 1, 60);
	assert_int_equal(value("level"), 1);
}

struct seen {
	size_t n;
	uint64_t weight, left;
	bool blocked;
};

static bool take(void *arg, const struct attacker_row *r)
{
	struct seen *s = arg;

	s->n++;
	if (!span_is(r->who, WHO))
		return true;
	s->weight = r->weight;
	s->left = r->refused_until > r->now ? r->refused_until - r->now : 0;
	s->blocked = r->blocked;
	return true;
}

static struct seen look(struct attacker_since *since)
{
	struct seen s = { 0 };

	if (attacker_read(node, since, take, &s) != DB_OK)
		fail_msg("%s", db_why(node));
	return s;
}

static void what_has_not_changed_is_not_read_again(void **state)
{
	struct attacker_since since = ATTACKER_FROM_THE_START;

	(void)state;
	put(9000, 1, 60);
	assert_int_equal(look(&since).n, 1);
	age("20 SECOND");
	assert_int_equal(look(&since).n, 0);
	put(1000, 1, 60);
	assert_int_equal(look(&since).n, 1);
	/* once more: who commits late would be missed */
	assert_int_equal(look(&since).n, 1);
}

static void more_rows_than_a_query_yields_are_all_read(void **state)
{
	struct attacker_since since = ATTACKER_FROM_THE_START;

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		for (unsigned j = 0; j < 500; j++)
			fix_sql("INSERT INTO attacker VALUES ('10.0.%u.%u', 1,"
				" 0, UTC_TIMESTAMP(6), 0, UTC_TIMESTAMP(6))",
				i, j);
	assert_int_equal(look(&since).n, 2500);
}

static void the_administrator_blocks_and_forgets(void **state)
{
	struct attacker_since since = ATTACKER_FROM_THE_START;
	struct seen s;
	bool known;

	(void)state;
	put(9000, 3, 600);
	assert_int_equal(attacker_block(tool, SPAN_LIT(WHO), 3600), DB_OK);
	s = look(&since);
	assert_true(s.blocked && s.left > 3500);
	assert_int_equal(attacker_unblock(tool, SPAN_LIT(WHO), &known), DB_OK);
	assert_true(known);
	s = look(&since);
	assert_true(!s.blocked && s.left == 0 && s.weight == 0);
	assert_int_equal(value("level"), 0);
	assert_int_equal(attacker_unblock(tool, SPAN_LIT("10.1.1.1"), &known),
			 DB_OK);
	assert_false(known);
	assert_int_equal(attacker_block(tool, SPAN_LIT(WHO), 0), DB_OK);
	assert_true(look(&since).left > 1000000000);
}

static void what_says_nothing_any_more_goes(void **state)
{
	(void)state;
	put(9000, 3, 60);
	assert_int_equal(attacker_block(tool, SPAN_LIT("10.0.0.0/8"), 0),
			 DB_OK);
	age("23 HOUR");
	assert_int_equal(attacker_expire(node), DB_OK);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM attacker"), 2);
	age("2 HOUR");
	assert_int_equal(attacker_expire(node), DB_OK);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM attacker"), 1);
	assert_int_equal(fix_number("SELECT blocked FROM attacker"), 1);
}

static bool take_usual(void *arg, struct span account, struct span network)
{
	unsigned *found = arg;

	if (span_is(account, "bob@example.org") &&
	    span_is(network, "192.0.2.0/24"))
		++*found;
	return true;
}

static void usual_networks_are_those_of_the_history(void **state)
{
	unsigned found = 0;

	(void)state;
	fix_sql("INSERT INTO login_history VALUES ('bob@example.org',"
		" '192.0.2.0/24', 'pop3', UTC_TIMESTAMP(), UTC_TIMESTAMP(),"
		" 1)");
	assert_int_equal(attacker_usual(node, take_usual, &found), DB_OK);
	assert_int_equal(found, 1);
}

#define ROW(test) cmocka_unit_test_setup(test, empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(weights_add_up_and_fade),
		ROW(a_new_row_does_not_begin_below_nothing),
		ROW(the_longer_refusal_of_two_nodes_holds),
		ROW(what_has_not_changed_is_not_read_again),
		ROW(more_rows_than_a_query_yields_are_all_read),
		ROW(the_administrator_blocks_and_forgets),
		ROW(what_says_nothing_any_more_goes),
		ROW(usual_networks_are_those_of_the_history),
	};

	return cmocka_run_group_tests(tests, start, end);
}
