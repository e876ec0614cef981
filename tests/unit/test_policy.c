/* The recipient predicates: facts in, verdict out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/login.h"
#include "policy/rcpt.h"

/* A good recipient of ours. */
static struct rcpt_facts good(void)
{
	return (struct rcpt_facts){ .syntax_ok = true,
				    .local = F_YES,
				    .domain_active = F_YES,
				    .known = F_YES,
				    .active = F_YES,
				    .room = F_YES,
				    .mta_domains_set = true };
}

static struct rcpt_facts foreign(void)
{
	return (struct rcpt_facts){ .syntax_ok = true,
				    .local = F_NO,
				    .mta_domains_set = true };
}

static void assert_verdict(struct rcpt_facts f, enum reply_id id,
			   const char *predicate, const char *shadow)
{
	struct verdict v = policy_rcpt(&f);

	assert_int_equal(v.id, id);
	assert_string_equal(v.predicate, predicate);
	assert_string_equal(v.shadow, shadow);
}

static void a_known_active_mailbox_with_room_is_accepted(void **state)
{
	(void)state;
	assert_verdict(good(), R_NONE, "", "");
}

/* Each mailbox fact, made bad alone. */
static void each_fact_has_its_reply(void **state)
{
	struct rcpt_facts f = good();

	(void)state;
	f.syntax_ok = false;
	assert_verdict(f, R_RCPT_SYNTAX, "syntax", "");
	f = good();
	f.domain_active = F_NO;
	assert_verdict(f, R_RCPT_DISABLED, "domain-active", "");
	f = good();
	f.known = F_NO;
	assert_verdict(f, R_RCPT_UNKNOWN, "known", "");
	f = good();
	f.active = F_NO;
	assert_verdict(f, R_RCPT_DISABLED, "active", "");
	f = good();
	f.room = F_NO;
	assert_verdict(f, R_RCPT_OVER_QUOTA, "room", "");
}

static void the_first_predicate_that_rejects_is_named(void **state)
{
	struct rcpt_facts f = good();

	(void)state;
	f.room = F_NO;
	f.active = F_NO;
	assert_verdict(f, R_RCPT_DISABLED, "active", "");
	f.known = F_NO;
	assert_verdict(f, R_RCPT_UNKNOWN, "known", "");
	f.domain_active = F_NO;
	assert_verdict(f, R_RCPT_DISABLED, "domain-active", "");
	f.syntax_ok = false;
	assert_verdict(f, R_RCPT_SYNTAX, "syntax", "");
}

/* Every combination of the five facts: where one that is needed is not known,
 * the reply is temporary, and no reply is permanent on a guess. */
static void a_fact_that_is_not_known_is_never_a_permanent_reply(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3 * 3 * 3 * 3 * 3; i++) {
		struct rcpt_facts f = good();
		enum reply_id id;

		f.local = (enum fact)(i % 3);
		f.domain_active = (enum fact)(i / 3 % 3);
		f.known = (enum fact)(i / 9 % 3);
		f.active = (enum fact)(i / 27 % 3);
		f.room = (enum fact)(i / 81);
		f.mta_domain = true;
		id = policy_rcpt(&f).id;
		if (f.local == F_NO)
			assert_int_equal(id, R_NONE);
		else if (f.local == F_TEMP)
			assert_int_equal(id, R_STORE_DOWN);
		else if (f.domain_active == F_NO)
			assert_int_equal(id, R_RCPT_DISABLED);
		else if (f.domain_active == F_TEMP || f.known == F_TEMP)
			assert_int_equal(id, R_STORE_DOWN);
		else if (f.known == F_NO)
			assert_int_equal(id, R_RCPT_UNKNOWN);
		else if (f.active == F_NO)
			assert_int_equal(id, R_RCPT_DISABLED);
		else if (f.active == F_TEMP || f.room == F_TEMP)
			assert_int_equal(id, R_STORE_DOWN);
		else
			assert_int_equal(id, f.room == F_NO ? R_RCPT_OVER_QUOTA
							    : R_NONE);
	}
}

static void a_stranger_may_not_relay(void **state)
{
	(void)state;
	assert_verdict(foreign(), R_RELAY_DENIED, "relay", "");
}

static void a_login_a_trusted_network_or_a_domain_of_the_mta_opens_the_relay(
	void **state)
{
	struct rcpt_facts f = foreign();

	(void)state;
	f.authenticated = true;
	assert_verdict(f, R_NONE, "", "");
	f = foreign();
	f.trusted = true;
	assert_verdict(f, R_NONE, "", "");
	f = foreign();
	f.mta_domain = true;
	assert_verdict(f, R_NONE, "", "");
}

static void while_mta_domains_is_unset_the_relay_check_is_in_shadow(
	void **state)
{
	struct rcpt_facts f = foreign();

	(void)state;
	f.mta_domains_set = false;
	assert_verdict(f, R_NONE, "", "relay");
	f.authenticated = true;
	assert_verdict(f, R_NONE, "", "");
}

static void a_foreign_address_of_odd_form_is_left_to_the_mta(void **state)
{
	struct rcpt_facts f = foreign();

	(void)state;
	f.syntax_ok = false;
	f.authenticated = true;
	assert_verdict(f, R_NONE, "", "");
}

/* Our side broken is told with 4xx, and every reply has an SMTP code. */
static void replies_of_the_policy_have_codes(void **state)
{
	static const struct {
		enum reply_id id;
		unsigned smtp;
		const char *enhanced;
	} t[] = {
		{ R_STORE_DOWN, 451, "4.3.0" },
		{ R_RCPT_UNKNOWN, 550, "5.1.1" },
		{ R_RCPT_DISABLED, 550, "5.2.1" },
		{ R_RCPT_OVER_QUOTA, 452, "4.2.2" },
		{ R_RELAY_DENIED, 550, "5.7.1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		assert_int_equal(reply_get(t[i].id)->smtp, t[i].smtp);
		assert_string_equal(reply_get(t[i].id)->enhanced,
				    t[i].enhanced);
	}
}

static void a_login_goes_on_sending_while_it_is_open(void **state)
{
	static const struct {
		struct login_facts f;
		enum reply_id id;
		const char *predicate;
	} t[] = {
		{ { F_YES, true, F_YES, F_YES }, R_NONE, "" },
		{ { F_YES, false, F_YES, F_YES }, R_NONE, "" },
		{ { F_YES, true, F_NO, F_YES },
		  R_LOGIN_CLOSED,
		  "login-active" },
		{ { F_YES, false, F_NO, F_NO },
		  R_LOGIN_CLOSED,
		  "login-active" },
		{ { F_YES, false, F_YES, F_NO }, R_LOGIN_CLOSED, "login-smtp" },
		/* other people's logins are not ours to judge */
		{ { F_NO, false, F_NO, F_NO }, R_NONE, "" },
		{ { F_NO, true, F_NO, F_NO }, R_LOGIN_CLOSED, "login-known" },
		{ { F_TEMP, true, F_NO, F_NO }, R_STORE_DOWN, "accounts-up" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct verdict v = policy_login(&t[i].f);

		assert_int_equal(v.id, t[i].id);
		assert_string_equal(v.predicate, t[i].predicate);
		assert_string_equal(v.shadow, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_known_active_mailbox_with_room_is_accepted),
		cmocka_unit_test(each_fact_has_its_reply),
		cmocka_unit_test(the_first_predicate_that_rejects_is_named),
		cmocka_unit_test(
			a_fact_that_is_not_known_is_never_a_permanent_reply),
		cmocka_unit_test(a_stranger_may_not_relay),
		cmocka_unit_test(
			a_login_a_trusted_network_or_a_domain_of_the_mta_opens_the_relay),
		cmocka_unit_test(
			while_mta_domains_is_unset_the_relay_check_is_in_shadow),
		cmocka_unit_test(
			a_foreign_address_of_odd_form_is_left_to_the_mta),
		cmocka_unit_test(a_login_goes_on_sending_while_it_is_open),
		cmocka_unit_test(replies_of_the_policy_have_codes),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
