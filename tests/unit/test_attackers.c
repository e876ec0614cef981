#include "auth/attackers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static const uint8_t key[SIPHASH_KEY_SIZE] = "0123456789abcdef";
static struct attackers *memory;
static int64_t now;

static int set_up(void **state)
{
	(void)state;
	now = 1000 * (int64_t)HOUR;
	memory = attackers_new(key);
	return memory ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	attackers_free(&memory);
	return 0;
}

/* rip "": not told. */
static struct attackers_try try(const char *rip, const char *account)
{
	struct attackers_try a = { .account = span_of(account),
				   .has_rip = rip[0] != '\0' };

	if (a.has_rip)
		assert_true(ipaddr_parse(span_of(rip), &a.rip));
	return a;
}

static unsigned miss(const char *rip, const char *account, const char *password)
{
	struct attackers_try a = try(rip, account);

	return attackers_failed(memory, &a, span_of(password), now);
}

/* n different passwords. */
static unsigned guess(const char *rip, const char *account, unsigned n)
{
	static unsigned last;
	char password[32];
	unsigned began = 0;

	while (n--) {
		(void)snprintf(password, sizeof(password), "guess %u", ++last);
		began |= miss(rip, account, password);
	}
	return began;
}

static void succeed(const char *rip, const char *account)
{
	struct attackers_try a = try(rip, account);

	attackers_succeeded(memory, &a, now);
}

static struct attackers_verdict ask(const char *rip, const char *account)
{
	struct attackers_try a = try(rip, account);

	return attackers_ask(memory, &a, now);
}

static enum attackers_word word(const char *rip, const char *account)
{
	return ask(rip, account).word;
}

static uint32_t weight(const char *who)
{
	return attackers_weight(memory, span_of(who), now);
}

static void a_few_mistakes_cost_nothing(void **state)
{
	(void)state;
	assert_int_equal(word("192.0.2.1", "bob@x"), ATTACKERS_PASS);
	assert_int_equal(guess("192.0.2.1", "bob@x", 2), 0);
	assert_int_equal(word("192.0.2.1", "bob@x"), ATTACKERS_PASS);
}

static void an_address_is_delayed_then_refused(void **state)
{
	int64_t last = 0;

	(void)state;
	guess("192.0.2.1", "bob@x", 3);
	for (unsigned i = 3; i < 10; i++) {
		struct attackers_verdict v = ask("192.0.2.1", "eve@x");

		assert_int_equal(v.word, ATTACKERS_DELAY);
		assert_int_equal(v.by, ATTACKERS_BY_ADDRESS);
		assert_true(v.delay > last && v.delay <= 6 * SECOND);
		last = v.delay;
		assert_int_equal(guess("192.0.2.1", "bob@x", 1),
				 i < 9 ? 0 : 1u << ATTACKERS_BY_ADDRESS);
	}
	assert_int_equal(word("192.0.2.1", "eve@x"), ATTACKERS_REFUSE);
	assert_int_equal(word("192.0.2.2", "eve@x"), ATTACKERS_PASS);
	assert_int_equal(word("", "eve@x"), ATTACKERS_PASS);
}

static struct attackers_room room(const char *rip, const char *account)
{
	struct attackers_try a = try(rip, account);
	struct attackers_room r;

	attackers_room(memory, &a, now, &r);
	return r;
}

/* As many as it is told beforehand that there is room for. */
static void the_room_is_what_is_left_until_the_refusal(void **state)
{
	static const char *const rip[] = { "192.0.2.1", "2001:db8::1" };
	unsigned left[] = { 10, 80, 30, 10, 20, 30 };

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(room(rip[i / 3], "bob@x").failures[i % 3],
				 left[i]);
	for (unsigned n = room(rip[0], "").failures[0]; n > 1; n--) {
		assert_int_equal(guess(rip[0], "eve@x", 1), 0);
		assert_int_equal(room(rip[0], "x@x").failures[0], n - 1);
	}
	assert_int_not_equal(guess(rip[0], "eve@x", 1), 0);
	/* and when the refusal is over, one */
	assert_int_equal(room(rip[0], "x@x").failures[0], 1);
	assert_true(room(rip[0], "x@x").key[0] == room(rip[0], "y@y").key[0]);
	assert_true(room(rip[0], "x@x").key[2] != room(rip[0], "y@y").key[2]);
}

static void who_is_not_asked_has_no_key(void **state)
{
	struct attackers_room r = room("", "bob@x");

	(void)state;
	assert_true(!r.key[0] && !r.key[1] && !r.key[2]);
	succeed("192.0.2.1", "bob@x");
	r = room("192.0.2.1", "bob@x");
	assert_true(r.key[0] && !r.key[1] && !r.key[2]);
	r = room("192.0.2.1", "");
	assert_true(r.key[0] && r.key[1] && !r.key[2]);
}

static void each_refusal_is_longer_up_to_a_bound(void **state)
{
	int64_t left, before = MINUTE / 2;

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		guess("192.0.2.1", "", 10);
		left = attackers_refused(memory, SPAN_LIT("192.0.2.1"), now);
		assert_int_equal(left,
				 before * 2 < 4 * HOUR ? before * 2 : 4 * HOUR);
		before = left;
		now += left;
		assert_int_not_equal(word("192.0.2.1", ""), ATTACKERS_REFUSE);
	}
	now += 25 * (int64_t)HOUR;
	guess("192.0.2.1", "", 10);
	assert_int_equal(attackers_refused(memory, SPAN_LIT("192.0.2.1"), now),
			 MINUTE);
}

static void weights_fade(void **state)
{
	uint32_t last = 8000;

	(void)state;
	guess("192.0.2.1", "", 8);
	assert_int_equal(weight("192.0.2.1"), 8000);
	for (unsigned i = 0; i < 60; i++) {
		now += MINUTE;
		assert_true(weight("192.0.2.1") < last);
		last = weight("192.0.2.1");
		if (i == 9)
			assert_int_equal(last, 4000);
	}
	assert_int_equal(last, 125);
	now += 1000 * (int64_t)HOUR;
	assert_int_equal(weight("192.0.2.1"), 0);
}

static void a_forgotten_telephone_weighs_little(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++)
		miss("192.0.2.1", "bob@x", "the old one");
	assert_int_equal(weight("192.0.2.1"), 1000 + 19 * 100);
	assert_int_equal(weight("bob@x"), 1000 + 19 * 100);
	/* another's, or with another password, is a guess */
	miss("192.0.2.1", "eve@x", "the old one");
	assert_int_equal(weight("192.0.2.1"), 3900);
	miss("192.0.2.1", "bob@x", "The old one");
	assert_int_equal(weight("192.0.2.1"), 4900);
	miss("192.0.2.1", "bob@x", "the old one");
	assert_int_equal(weight("192.0.2.1"), 5000);
}

static void without_a_name_or_a_password_nothing_is_the_same(void **state)
{
	(void)state;
	miss("192.0.2.1", "", "x");
	miss("192.0.2.1", "", "x");
	miss("192.0.2.1", "bob@x", "");
	miss("192.0.2.1", "bob@x", "");
	assert_int_equal(weight("192.0.2.1"), 4000);
}

static void a_success_takes_off_half_but_not_again_at_once(void **state)
{
	(void)state;
	guess("192.0.2.1", "bob@x", 8);
	succeed("192.0.2.1", "eve@x");
	assert_int_equal(weight("192.0.2.1"), 4000);
	succeed("192.0.2.1", "eve@x");
	assert_int_equal(weight("192.0.2.1"), 4000);
	succeed("192.0.2.1", "tom@x");
	assert_int_equal(weight("192.0.2.1"), 2000);
	assert_int_equal(weight("bob@x"), 8000);
	now += 10 * MINUTE;
	succeed("192.0.2.1", "eve@x");
	assert_int_equal(weight("192.0.2.1"), 500);
}

static void networks_bear_more_than_addresses(void **state)
{
	char rip[64];

	(void)state;
	for (unsigned i = 0; i < 80; i++) {
		assert_int_not_equal(word("192.0.2.200", ""), ATTACKERS_REFUSE);
		(void)snprintf(rip, sizeof(rip), "192.0.2.%u", i);
		guess(rip, "", 1);
	}
	assert_int_equal(ask("192.0.2.200", "").by, ATTACKERS_BY_NETWORK);
	assert_int_equal(word("192.0.2.200", ""), ATTACKERS_REFUSE);
	assert_int_equal(word("192.0.3.200", ""), ATTACKERS_PASS);

	for (unsigned i = 0; i < 20; i++) {
		(void)snprintf(rip, sizeof(rip), "2001:db8::%x:1", i);
		guess(rip, "", 1);
	}
	assert_int_equal(word("2001:db8::ffff", ""), ATTACKERS_REFUSE);
	assert_int_equal(word("2001:db8:0:1::1", ""), ATTACKERS_PASS);
}

/* From as many networks. */
static void besiege(const char *account, unsigned n)
{
	char rip[64];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(rip, sizeof(rip), "10.%u.%u.1", i / 250,
			       i % 250);
		guess(rip, account, 1);
	}
}

static void the_owner_is_not_locked_out_with_the_guessers(void **state)
{
	(void)state;
	succeed("192.0.2.1", "bob@x");
	besiege("bob@x", 30);
	assert_int_equal(word("198.51.100.1", "bob@x"), ATTACKERS_REFUSE);
	assert_int_equal(ask("198.51.100.1", "bob@x").by, ATTACKERS_BY_ACCOUNT);
	assert_int_equal(word("192.0.2.1", "bob@x"), ATTACKERS_PASS);
	assert_int_equal(word("192.0.2.99", "bob@x"), ATTACKERS_PASS);
	assert_int_equal(word("198.51.100.1", "eve@x"), ATTACKERS_PASS);
	/* nor who comes without an address */
	assert_int_equal(word("", "bob@x"), ATTACKERS_DELAY);
	/* but what a usual address does itself counts */
	guess("192.0.2.1", "bob@x", 10);
	assert_int_equal(word("192.0.2.1", "bob@x"), ATTACKERS_REFUSE);
}

static void what_was_usual_before_a_restart_is_told(void **state)
{
	struct attackers_try a = try("192.0.2.1", "bob@x");

	(void)state;
	attackers_usual(memory, attackers_usual_hash(memory, &a), now);
	besiege("bob@x", 30);
	assert_int_equal(word("192.0.2.7", "bob@x"), ATTACKERS_PASS);
}

/* The table of the database, for one entry. */
static struct attackers_row stored;

static void tell(void)
{
	struct attackers_change c[8];
	size_t n = attackers_take(memory, c, 8, now);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(c[i].who, stored.who) != 0)
			continue;
		stored.weight = (uint32_t)((int64_t)stored.weight + c[i].delta);
		stored.level = c[i].level;
		stored.refused = c[i].refused;
	}
}

static void two_nodes_add_up(void **state)
{
	struct attackers *one = memory, *two = attackers_new(key);

	(void)state;
	assert_non_null(two);
	memset(&stored, 0, sizeof(stored));
	(void)snprintf(stored.who, sizeof(stored.who), "192.0.2.1");
	guess("192.0.2.1", "", 6);
	tell();
	assert_int_equal(stored.weight, 6000);
	memory = two;
	guess("192.0.2.1", "", 3);
	attackers_merge(memory, &stored, now);
	assert_int_equal(weight("192.0.2.1"), 9000);
	tell();
	assert_int_equal(stored.weight, 9000);
	/* read once more, it is the same */
	attackers_merge(memory, &stored, now);
	assert_int_equal(weight("192.0.2.1"), 9000);
	assert_int_equal(guess("192.0.2.1", "", 1), 1u << ATTACKERS_BY_ADDRESS);
	tell();
	memory = one;
	attackers_merge(memory, &stored, now);
	assert_int_equal(weight("192.0.2.1"), 10000);
	assert_int_equal(word("192.0.2.1", ""), ATTACKERS_REFUSE);
	attackers_free(&two);
}

static void what_could_not_be_told_is_told_again(void **state)
{
	struct attackers_change c[8];
	size_t n;

	(void)state;
	guess("192.0.2.1", "", 1);
	assert_int_equal(attackers_take(memory, c, 8, now), 0); /* too light */
	guess("192.0.2.1", "", 4);
	n = attackers_take(memory, c, 8, now);
	assert_int_equal(n, 2); /* and its network */
	assert_int_equal(attackers_take(memory, c + 2, 6, now), 0);
	guess("192.0.2.1", "", 1);
	for (size_t i = 0; i < n; i++)
		attackers_untold(memory, &c[i]);
	assert_int_equal(attackers_take(memory, c, 8, now), 2);
	assert_int_equal(c[0].delta, 6000);
	assert_int_equal(c[1].delta, 6000);
}

static void the_administrator_blocks_and_takes_it_back(void **state)
{
	struct attackers_row r = { .who = "198.51.100.0/22",
				   .refused = HOUR,
				   .blocked = true };

	(void)state;
	attackers_merge(memory, &r, now);
	assert_int_equal(word("198.51.103.255", "bob@x"), ATTACKERS_REFUSE);
	assert_int_equal(ask("198.51.103.255", "").by, ATTACKERS_BY_BLOCK);
	assert_int_equal(word("198.51.104.0", "bob@x"), ATTACKERS_PASS);
	r.blocked = false;
	r.refused = 0;
	attackers_merge(memory, &r, now);
	assert_int_equal(word("198.51.103.255", "bob@x"), ATTACKERS_PASS);
	r.blocked = true;
	r.refused = HOUR;
	attackers_merge(memory, &r, now);
	now += HOUR;
	assert_int_equal(word("198.51.103.255", "bob@x"), ATTACKERS_PASS);
}

static void a_refusal_is_taken_back(void **state)
{
	struct attackers_row r = { .who = "192.0.2.1" };
	struct attackers_change c[8];

	(void)state;
	guess("192.0.2.1", "", 10);
	(void)attackers_take(memory, c, 8, now);
	attackers_merge(memory, &r, now);
	assert_int_equal(weight("192.0.2.1"), 0);
	assert_int_equal(word("192.0.2.1", ""), ATTACKERS_PASS);
}

static void a_full_memory_forgets_the_lightest(void **state)
{
	char name[64];

	(void)state;
	guess("192.0.2.1", "", 10);
	guess("192.0.2.2", "", 5);
	for (unsigned i = 0; i < 100000; i++) {
		(void)snprintf(name, sizeof(name), "name%u@x", i);
		miss("", name, "x");
	}
	assert_int_equal(word("192.0.2.1", ""), ATTACKERS_REFUSE);
	assert_int_equal(weight("192.0.2.2"), 5000);
	assert_int_equal(weight("name99999@x"), 1000);
}

static void siphash_is_that_of_its_authors(void **state)
{
	/* the first and the 16th vector of the paper's reference */
	static const uint8_t sip_key[SIPHASH_KEY_SIZE] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	};
	char in[15];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (char)i;
	assert_true(siphash(sip_key, SPAN_EMPTY) == 0x726fdb47dd0e0e31);
	assert_true(siphash(sip_key, (struct span){ in, sizeof(in) }) ==
		    0xa129ca6149be45e5);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_few_mistakes_cost_nothing),
		ROW(an_address_is_delayed_then_refused),
		ROW(the_room_is_what_is_left_until_the_refusal),
		ROW(who_is_not_asked_has_no_key),
		ROW(each_refusal_is_longer_up_to_a_bound),
		ROW(weights_fade),
		ROW(a_forgotten_telephone_weighs_little),
		ROW(without_a_name_or_a_password_nothing_is_the_same),
		ROW(a_success_takes_off_half_but_not_again_at_once),
		ROW(networks_bear_more_than_addresses),
		ROW(the_owner_is_not_locked_out_with_the_guessers),
		ROW(what_was_usual_before_a_restart_is_told),
		ROW(two_nodes_add_up),
		ROW(what_could_not_be_told_is_told_again),
		ROW(the_administrator_blocks_and_takes_it_back),
		ROW(a_refusal_is_taken_back),
		ROW(a_full_memory_forgets_the_lightest),
		cmocka_unit_test(siphash_is_that_of_its_authors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
