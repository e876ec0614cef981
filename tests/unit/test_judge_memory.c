/* What the judge remembers, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/judge_memory.h"

static struct addr address(const char *text)
{
	struct addr a = { .n = (uint16_t)strlen(text) };

	memcpy(a.text, text, a.n + 1u);
	a.at = (uint16_t)span_find(addr_span(&a), '@');
	return a;
}

static int setup(void **state)
{
	*state = judge_memory_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct judge_memory *m = *state;

	judge_memory_free(&m);
	return m ? -1 : 0;
}

static void a_domain_is_remembered_for_a_second(void **state)
{
	struct domain_facts f = { .ours = F_YES, .active = F_YES };
	struct span name = SPAN_LIT("example.test");
	struct domain_facts got;

	assert_false(judge_memory_get_domain(*state, name, 5000, &got));
	judge_memory_put_domain(*state, name, 5000, &f);
	assert_true(judge_memory_get_domain(*state, name, 5000, &got));
	assert_int_equal(got.ours, F_YES);
	assert_true(judge_memory_get_domain(*state, name, 5999, &got));
	assert_false(judge_memory_get_domain(*state, name, 6000, &got));
	assert_false(judge_memory_get_domain(*state, name, 4999, &got));
	assert_false(judge_memory_get_domain(*state, SPAN_LIT("example.tes"),
					     5000, &got));
}

static void bad_news_about_a_domain_is_not_remembered(void **state)
{
	static const struct domain_facts bad[] = {
		{ .ours = F_NO, .active = F_NO },
		{ .ours = F_TEMP, .active = F_TEMP },
		{ .ours = F_YES, .active = F_NO },
		{ .ours = F_YES, .active = F_TEMP },
	};
	struct span name = SPAN_LIT("new.test");
	struct domain_facts got;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		judge_memory_put_domain(*state, name, 100, &bad[i]);
		assert_false(judge_memory_get_domain(*state, name, 100, &got));
	}
}

static void a_mailbox_is_remembered_for_a_second(void **state)
{
	struct addr bob = address("bob@example.test");
	struct addr rob = address("rob@example.test");
	struct judge_mailbox b = {
		.facts = { .known = F_YES, .active = F_YES, .quota = 7 },
		.box = { .mailbox_id = 42 }
	};
	struct judge_mailbox got;

	judge_memory_put_mailbox(*state, &bob, 100, &b);
	assert_true(judge_memory_get_mailbox(*state, &bob, 1099, &got));
	assert_int_equal(got.box.mailbox_id, 42);
	assert_int_equal(got.facts.quota, 7);
	assert_false(judge_memory_get_mailbox(*state, &bob, 1100, &got));
	assert_false(judge_memory_get_mailbox(*state, &rob, 100, &got));
}

static void an_unknown_or_disabled_mailbox_is_not_remembered(void **state)
{
	struct addr bob = address("bob@example.test");
	struct judge_mailbox b = { .facts = { .known = F_NO } };
	struct judge_mailbox got;

	judge_memory_put_mailbox(*state, &bob, 100, &b);
	assert_false(judge_memory_get_mailbox(*state, &bob, 100, &got));
	b.facts.known = F_YES;
	b.facts.active = F_NO;
	judge_memory_put_mailbox(*state, &bob, 100, &b);
	assert_false(judge_memory_get_mailbox(*state, &bob, 100, &got));
	b.facts.known = F_TEMP;
	judge_memory_put_mailbox(*state, &bob, 100, &b);
	assert_false(judge_memory_get_mailbox(*state, &bob, 100, &got));
}

/* More mailboxes than places: none is ever taken for another. */
static void a_full_memory_never_mixes_mailboxes(void **state)
{
	struct judge_mailbox got;
	unsigned hits = 0;
	char text[64];

	for (unsigned i = 1; i <= 20000; i++) {
		struct judge_mailbox b = { .facts = { .known = F_YES,
						      .active = F_YES },
					   .box = { .mailbox_id = i } };
		struct addr a;

		(void)snprintf(text, sizeof(text), "u%u@example.test", i);
		a = address(text);
		judge_memory_put_mailbox(*state, &a, 100, &b);
	}
	for (unsigned i = 1; i <= 20000; i++) {
		struct addr a;

		(void)snprintf(text, sizeof(text), "u%u@example.test", i);
		a = address(text);
		if (!judge_memory_get_mailbox(*state, &a, 200, &got))
			continue;
		assert_int_equal(got.box.mailbox_id, i);
		hits++;
	}
	assert_in_range(hits, 1000, 4096);
}

static void a_route_is_as_old_as_the_oldest_of_it(void **state)
{
	struct addr rcpt = address("info@example.test");
	struct judge_mailbox b = { .facts = { .known = F_YES,
					      .active = F_YES,
					      .name = address("bob@x.test") },
				   .box = { .mailbox_id = 7 },
				   .asked = 500 };
	struct judge_mailbox got;

	judge_memory_put_route(*state, &rcpt, &b);
	assert_true(judge_memory_get_route(*state, &rcpt, 1499, &got));
	assert_int_equal(got.box.mailbox_id, 7);
	assert_false(judge_memory_get_route(*state, &rcpt, 1500, &got));
	assert_false(judge_memory_get_mailbox(*state, &rcpt, 600, &got));
	assert_false(judge_memory_get_route(*state, &b.facts.name, 600, &got));
	b.facts.active = F_NO;
	rcpt = address("off@example.test");
	judge_memory_put_route(*state, &rcpt, &b);
	assert_false(judge_memory_get_route(*state, &rcpt, 600, &got));
}

static void every_mode_is_remembered_for_a_second(void **state)
{
	static const enum served_mode modes[] = { SERVED_PASS, SERVED_MIRROR,
						  SERVED_STORE };
	struct addr a = address("bob@example.test");
	enum served_mode got;
	int64_t asked = 0;

	for (size_t i = 0; i < 3; i++) {
		judge_memory_put_mode(*state, &a, 1000, modes[i]);
		assert_true(
			judge_memory_get_mode(*state, &a, 1999, &got, &asked));
		assert_int_equal(got, modes[i]);
		assert_int_equal(asked, 1000);
		assert_false(
			judge_memory_get_mode(*state, &a, 2000, &got, &asked));
	}
	a = address("bob@example.org");
	assert_false(judge_memory_get_mode(*state, &a, 1000, &got, &asked));
}

static void an_address_is_remembered_with_its_login(void **state)
{
	struct addr bob = address("bob@d.test"), al = address("al@d.test");
	struct addr sales = address("sales@d.test");

	assert_false(judge_memory_get_owns(*state, &bob, &sales, 5000));
	judge_memory_put_owns(*state, &bob, &sales, 5000);
	assert_true(judge_memory_get_owns(*state, &bob, &sales, 5999));
	assert_false(judge_memory_get_owns(*state, &bob, &sales, 6000));
	assert_false(judge_memory_get_owns(*state, &al, &sales, 5000));
	assert_false(judge_memory_get_owns(*state, &bob, &al, 5000));
	assert_false(judge_memory_get_owns(*state, &sales, &bob, 5000));
}

static void a_foreign_domain_is_remembered_for_a_minute(void **state)
{
	struct domain_facts f = { .ours = F_NO, .active = F_NO };
	struct span name = SPAN_LIT("far.test");

	assert_false(judge_memory_get_foreign(*state, name, 5000));
	judge_memory_put_foreign(*state, name, 5000);
	assert_true(judge_memory_get_foreign(*state, name, 64999));
	assert_false(judge_memory_get_foreign(*state, name, 65000));
	assert_false(judge_memory_get_foreign(*state, name, 4999));
	assert_false(
		judge_memory_get_foreign(*state, SPAN_LIT("far.tes"), 5000));
	assert_false(judge_memory_get_domain(*state, name, 5000, &f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_domain_is_remembered_for_a_second, setup, teardown),
		cmocka_unit_test_setup_teardown(
			bad_news_about_a_domain_is_not_remembered, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_mailbox_is_remembered_for_a_second, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_unknown_or_disabled_mailbox_is_not_remembered, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_full_memory_never_mixes_mailboxes, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_route_is_as_old_as_the_oldest_of_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
			every_mode_is_remembered_for_a_second, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_address_is_remembered_with_its_login, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_foreign_domain_is_remembered_for_a_minute, setup,
			teardown),
	};

	return cmocka_run_group_tests_name("judge_memory", tests, NULL, NULL);
}
