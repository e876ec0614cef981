/* tests/unit/test_keeperlimits.c: sessions of an account, and of an address
 * that a proxy told. */
#include "tests/unit/wire.h"

#include "lib/log.h"
#include "pop3d/keeperlimits.h"

static struct conf *conf;
static struct keeperlimits limits;

static int set_up(void **state)
{
	static const char text[] = "pop3_max_per_account = 2\n"
				   "pop3_max_per_address = 2\n"
				   "pop3_max_per_network = 3\n"
				   "pop3_max_sessions = 10\n";
	const struct conf_source source = { "test", span_of(text) };
	struct buf problems = BUF_INIT(4096);

	(void)state;
	log_off();
	conf = conf_parse(&source, 1, &problems);
	buf_release(&problems);
	return conf && keeperlimits_init(&limits, conf) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	keeperlimits_release(&limits);
	conf_unref(&conf);
	return 0;
}

static struct keeperaccount *join(const char *name)
{
	return keeperlimits_join(&limits, conf, span_of(name));
}

static void an_account_has_its_sessions_and_no_more(void **state)
{
	struct keeperaccount *a = join("alice@a"), *b = join("alice@a"),
			     *c = join("bob@a");

	(void)state;
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	assert_null(join("alice@a"));
	keeperlimits_leave(&limits, &b);
	assert_null(b);
	b = join("alice@a");
	assert_non_null(b);
	assert_null(join("alice@a"));
	keeperlimits_leave(&limits, &a);
	keeperlimits_leave(&limits, &b);
	keeperlimits_leave(&limits, &c);
	keeperlimits_leave(&limits, &c);
	for (size_t i = 0; i < KEEPERLIMITS_BUCKETS; i++)
		assert_null(limits.bucket[i]);
}

static void accounts_that_share_a_bucket_are_told_apart(void **state)
{
	enum { MANY = 4 * KEEPERLIMITS_BUCKETS };
	static struct keeperaccount *a[MANY];
	char name[32];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "user%d@a", i);
		a[i] = join(name);
		assert_non_null(a[i]);
		assert_int_equal(a[i]->sessions, 1);
		assert_string_equal(a[i]->name, name);
	}
	for (int i = 0; i < MANY; i++)
		keeperlimits_leave(&limits, &a[i]);
	for (size_t i = 0; i < KEEPERLIMITS_BUCKETS; i++)
		assert_null(limits.bucket[i]);
}

static bool add(uint32_t n, const char *address)
{
	struct ipaddr a;

	assert_true(ipaddr_parse(span_of(address), &a));
	return keeperlimits_add_peer(&limits, conf, n, &a);
}

static void addresses_and_networks_are_counted(void **state)
{
	(void)state;
	assert_true(add(0, "192.0.2.1"));
	assert_true(add(1, "192.0.2.1"));
	assert_false(add(2, "192.0.2.1"));
	assert_true(add(2, "192.0.2.2"));
	assert_true(add(3, "2001:db8::1"));
	assert_true(add(4, "2001:db8::2"));
	assert_true(add(5, "2001:db8::3"));
	assert_false(add(6, "2001:db8::4"));
	assert_true(add(6, "2001:db8:0:1::4"));
	keeperlimits_remove_peer(&limits, 4);
	assert_true(add(7, "2001:db8::4"));
	keeperlimits_remove_peer(&limits, 0);
	assert_true(add(8, "192.0.2.1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			an_account_has_its_sessions_and_no_more, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			accounts_that_share_a_bucket_are_told_apart, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			addresses_and_networks_are_counted, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
