/* tests/unit/test_doors.c: which door an account may use, and from where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/doors.h"
#include "lib/log.h"

static const struct login_state open_state = { .active = true,
					       .smtp = LOGIN_OPEN,
					       .pop3 = LOGIN_OPEN };

static struct attempt attempt_at(enum door door, const char *rip, bool secured)
{
	struct attempt a = { .door = door, .secured = secured };

	a.has_rip = ipaddr_parse(span_of(rip), &a.rip);
	return a;
}

static const struct {
	struct login_state state;
	const char *networks;
	enum door door;
	const char *rip;
	bool secured;
	const char *want; /* NULL: open */
} row[] = {
	{ { true, false, LOGIN_OPEN, LOGIN_CLOSED },
	  "",
	  DOOR_SMTP,
	  "192.0.2.1",
	  false,
	  NULL },
	{ { true, false, LOGIN_OPEN, LOGIN_CLOSED },
	  "",
	  DOOR_POP3,
	  "192.0.2.1",
	  true,
	  "door-closed" },
	{ { true, false, LOGIN_CLOSED, LOGIN_OPEN },
	  "",
	  DOOR_SMTP,
	  "192.0.2.1",
	  true,
	  "door-closed" },
	{ { true, false, LOGIN_OPEN, LOGIN_OPEN },
	  "",
	  DOOR_NONE,
	  "192.0.2.1",
	  true,
	  "door-closed" },
	{ { false, true, LOGIN_CLOSED, LOGIN_CLOSED },
	  "x",
	  DOOR_SMTP,
	  "",
	  false,
	  "account-disabled" },
	{ { true, true, LOGIN_CLOSED, LOGIN_CLOSED },
	  "x",
	  DOOR_SMTP,
	  "",
	  false,
	  "account-expired" },
	{ { true, false, LOGIN_TLS_ONLY, LOGIN_OPEN },
	  "",
	  DOOR_SMTP,
	  "192.0.2.1",
	  false,
	  "tls-required" },
	{ { true, false, LOGIN_TLS_ONLY, LOGIN_OPEN },
	  "",
	  DOOR_SMTP,
	  "192.0.2.1",
	  true,
	  NULL },
	{ { true, false, LOGIN_TLS_ONLY, LOGIN_OPEN },
	  "",
	  DOOR_POP3,
	  "192.0.2.1",
	  false,
	  NULL },
	{ { true, false, LOGIN_OPEN, LOGIN_OPEN },
	  "192.0.2.0/24",
	  DOOR_SMTP,
	  "192.0.2.1",
	  false,
	  NULL },
	{ { true, false, LOGIN_OPEN, LOGIN_OPEN },
	  "192.0.2.0/24",
	  DOOR_SMTP,
	  "192.0.3.1",
	  false,
	  "network" },
	{ { true, false, LOGIN_OPEN, LOGIN_OPEN },
	  "192.0.2.0/24",
	  DOOR_SMTP,
	  "",
	  false,
	  "network" },
	{ { true, false, LOGIN_OPEN, LOGIN_OPEN },
	  "10.0.0.0/8, 2001:db8::/32",
	  DOOR_POP3,
	  "2001:db8:1::1",
	  false,
	  NULL },
	/* a panel may write a host for its network */
	{ { true, false, LOGIN_OPEN, LOGIN_OPEN },
	  "192.0.2.9/24",
	  DOOR_SMTP,
	  "192.0.2.1",
	  false,
	  NULL },
	/* what cannot be read lets nobody in, the rest counts */
	{ { true, false, LOGIN_OPEN, LOGIN_OPEN },
	  "any 192.0.2.0/33",
	  DOOR_POP3,
	  "192.0.2.1",
	  false,
	  "network" },
	{ { true, false, LOGIN_OPEN, LOGIN_OPEN },
	  "any 192.0.2.1",
	  DOOR_POP3,
	  "192.0.2.1",
	  false,
	  NULL },
};

static void the_reason_is_the_first_that_holds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct attempt a =
			attempt_at(row[i].door, row[i].rip, row[i].secured);
		struct login_row r = { .state = row[i].state };
		const char *got;

		snprintf(r.networks, sizeof(r.networks), "%s", row[i].networks);
		got = doors_judge(&r, &a);
		if (strcmp(got ? got : "", row[i].want ? row[i].want : "") != 0)
			fail_msg("row %zu: %s", i, got ? got : "open");
	}
}

static void an_application_password_has_doors_of_its_own(void **state)
{
	struct login_row r = { .state = open_state };
	struct attempt smtp = attempt_at(DOOR_SMTP, "192.0.2.1", false);
	struct attempt pop3 = attempt_at(DOOR_POP3, "192.0.3.1", false);
	struct apppass app = { .smtp = true };

	(void)state;
	assert_null(doors_judge(&r, &smtp));
	assert_null(doors_judge_app(&app, &smtp));
	assert_string_equal(doors_judge_app(&app, &pop3), "door-closed");
	app.pop3 = true;
	assert_null(doors_judge_app(&app, &pop3));
	snprintf(app.networks, sizeof(app.networks), "192.0.2.0/24");
	assert_null(doors_judge_app(&app, &smtp));
	assert_string_equal(doors_judge_app(&app, &pop3), "network");
	app.expired = true;
	assert_string_equal(doors_judge_app(&app, &smtp),
			    "app-password-expired");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reason_is_the_first_that_holds),
		cmocka_unit_test(an_application_password_has_doors_of_its_own),
	};

	log_off();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
