/* tests/unit/test_clients.c */
#include "tests/unit/wire.h"

#include "pop3d/clients.h"

static struct ipaddr address(unsigned i)
{
	struct ipaddr a = { { 0x20, 0x01 } };

	a.octet[14] = (uint8_t)(i >> 8);
	a.octet[15] = (uint8_t)i;
	return a;
}

static void add(struct clients *c, pid_t pid, unsigned a)
{
	struct ipaddr ip = address(a);

	assert_true(clients_add(c, pid, &ip));
}

static size_t of(const struct clients *c, unsigned a)
{
	struct ipaddr ip = address(a);

	return clients_of(c, &ip);
}

static void sessions_are_counted_by_address(void **state)
{
	struct clients c;
	struct ipaddr a;

	(void)state;
	assert_true(clients_init(&c, 1000, 42));
	for (int i = 0; i < 1000; i++)
		add(&c, 100 + i, (unsigned)i % 300);
	assert_int_equal(c.n, 1000);
	assert_int_equal(of(&c, 5), 4);
	assert_int_equal(of(&c, 299), 3);
	assert_int_equal(of(&c, 300), 0);
	assert_true(clients_remove(&c, 105, &a));
	assert_int_equal(a.octet[15], 5);
	assert_int_equal(of(&c, 5), 3);
	assert_false(clients_remove(&c, 105, &a));
	clients_release(&c);
}

static struct ipaddr parsed(const char *text)
{
	struct ipaddr a;

	assert_true(ipaddr_parse(span_of(text), &a));
	return a;
}

static void an_ipv6_network_is_counted_as_one(void **state)
{
	static const char *const from[] = { "2001:db8::1", "2001:db8::2",
					    "2001:db8::",  "2001:db8:0:1::1",
					    "192.0.2.1",   "192.0.2.2" };
	struct ipaddr a,
		here = parsed("2001:db8::99"), zero = parsed("2001:db8::"),
		other = parsed("2001:db8:0:1::"), v4 = parsed("192.0.2.1");
	struct clients c;

	(void)state;
	assert_true(clients_init(&c, 6, 42));
	for (int i = 0; i < 6; i++) {
		a = parsed(from[i]);
		assert_true(clients_add(&c, i + 1, &a));
	}
	assert_int_equal(clients_of_network(&c, &here), 3);
	assert_int_equal(clients_of(&c, &here), 0);
	assert_int_equal(clients_of(&c, &zero), 1);
	assert_int_equal(clients_of_network(&c, &other), 1);
	assert_int_equal(clients_of_network(&c, &v4), 0);
	assert_int_equal(clients_of(&c, &v4), 1);
	assert_true(clients_remove(&c, 3, &a));
	assert_int_equal(clients_of_network(&c, &here), 2);
	assert_true(clients_remove(&c, 1, &a));
	assert_true(clients_remove(&c, 2, &a));
	assert_int_equal(clients_of_network(&c, &here), 0);
	clients_release(&c);
}

static void a_full_table_takes_no_more_and_places_are_used_again(void **state)
{
	struct ipaddr a = address(7);
	struct clients c;

	(void)state;
	assert_true(clients_init(&c, 3, 1));
	for (int round = 0; round < 1000; round++) {
		for (int i = 0; i < 3; i++)
			add(&c, 1000 * round + i, (unsigned)(round * 3 + i));
		assert_false(clients_add(&c, 1, &a));
		for (int i = 2; i >= 0; i--)
			assert_true(clients_remove(&c, 1000 * round + i, &a));
	}
	assert_int_equal(c.n, 0);
	clients_release(&c);
}

static void another_size_keeps_sessions_and_bans(void **state)
{
	struct ipaddr bad = address(9);
	struct clients c;

	(void)state;
	assert_true(clients_init(&c, 200, 3));
	for (int i = 0; i < 100; i++)
		add(&c, i + 1, (unsigned)i % 10);
	clients_ban(&c, &bad, 50);
	assert_true(clients_resize(&c, 2));
	assert_int_equal(c.n, 100);
	assert_int_equal(c.max, 100);
	assert_int_equal(of(&c, 3), 10);
	assert_true(clients_banned(&c, &bad, 49));
	assert_true(clients_resize(&c, 5000));
	assert_int_equal(of(&c, 9), 10);
	clients_release(&c);
}

static void a_ban_ends_at_its_time(void **state)
{
	struct ipaddr bad = address(1), good = address(2);
	struct clients c;

	(void)state;
	assert_true(clients_init(&c, 10, 3));
	assert_false(clients_banned(&c, &bad, 0));
	clients_ban(&c, &bad, 100);
	assert_true(clients_banned(&c, &bad, 99));
	assert_false(clients_banned(&c, &bad, 100));
	assert_false(clients_banned(&c, &good, 99));
	clients_release(&c);
}

static void more_bans_than_fit_drop_the_oldest(void **state)
{
	struct ipaddr oldest = address(0), second = address(1);
	struct clients c;

	(void)state;
	assert_true(clients_init(&c, 10, 3));
	for (unsigned i = 0; i <= CLIENTS_BANS; i++) {
		struct ipaddr a = address(i);

		clients_ban(&c, &a, 100);
	}
	assert_false(clients_banned(&c, &oldest, 1));
	assert_true(clients_banned(&c, &second, 1));
	clients_release(&c);
}

static void count_one(void *arg, pid_t pid, const struct ipaddr *a)
{
	(void)a;
	*(int *)arg += pid;
}

static void each_session_is_visited_once(void **state)
{
	struct clients c;
	int sum = 0;

	(void)state;
	assert_true(clients_init(&c, 100, 3));
	for (int i = 1; i <= 100; i++)
		add(&c, i, 1);
	clients_each(&c, count_one, &sum);
	assert_int_equal(sum, 5050);
	clients_release(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_are_counted_by_address),
		cmocka_unit_test(an_ipv6_network_is_counted_as_one),
		cmocka_unit_test(
			a_full_table_takes_no_more_and_places_are_used_again),
		cmocka_unit_test(another_size_keeps_sessions_and_bans),
		cmocka_unit_test(a_ban_ends_at_its_time),
		cmocka_unit_test(more_bans_than_fit_drop_the_oldest),
		cmocka_unit_test(each_session_is_visited_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
