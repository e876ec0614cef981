/* tests/unit/test_keeperlog.c: the lines about a session. */
#include "pop3d/keeperlog.h"

#include "tests/unit/wire.h"

static struct keepersession bob(void)
{
	struct keeper_session told = { .id = 0xabc };
	struct keepersession s;

	assert_true(ipaddr_parse(SPAN_LIT("192.0.2.7"), &told.remote));
	assert_true(ipaddr_parse(SPAN_LIT("2001:db8::1"), &told.local));
	keepersession_init(&s, &told);
	return s;
}

static struct keepersession asked(const char *user, const char *method)
{
	struct keepersession s = bob();

	keepersession_set_user(&s, span_of(user));
	(void)snprintf(s.method, sizeof(s.method), "%s", method);
	s.attempts = 1;
	return s;
}

static void a_login_names_the_address_before_the_user(void **state)
{
	struct keepersession s = asked("bob@example.com", "PLAIN");
	struct buf b = BUF_INIT(KEEPERLOG_MAX);

	(void)state;
	keeperlog_put_login(&b, &s);
	assert_buf(&b, "pop3-login: Login: rip=192.0.2.7, lip=2001:db8::1, "
		       "user=<bob@example.com>, method=PLAIN, "
		       "session=<0000000000000abc>");
	buf_release(&b);
}

static void behind_a_proxy_a_login_names_both(void **state)
{
	struct keepersession s = asked("bob@example.com", "PLAIN");
	struct buf b = BUF_INIT(KEEPERLOG_MAX);

	(void)state;
	s.peer_told = true;
	s.proxy = s.told.local;
	(void)snprintf(s.note, sizeof(s.note), "aB/+");
	keeperlog_put_login(&b, &s);
	assert_buf(&b, "pop3-login: Login: rip=192.0.2.7, lip=2001:db8::1, "
		       "user=<bob@example.com>, method=PLAIN, "
		       "session=<0000000000000abc>, proxy=2001:db8::1, "
		       "proxy-session=<aB/+>");
	buf_release(&b);
}

static void an_end_without_login_tells_what_was_tried(void **state)
{
	static const struct {
		unsigned attempts, denied, refused;
		const char *why; /* NULL: it said BYE */
		const char *want;
	} row[] = {
		{ 3, 3, 0, NULL,
		  "pop3-login: Disconnected (auth failed, 3 attempts): "
		  "rip=192.0.2.7, lip=2001:db8::1, user=<x>, method=APOP, "
		  "session=<0000000000000abc>" },
		{ 2, 1, 1, NULL,
		  "pop3-login: Disconnected (auth failed, 1 attempts): "
		  "rip=192.0.2.7, lip=2001:db8::1, user=<x>, method=APOP, "
		  "session=<0000000000000abc>" },
		{ 2, 0, 2, NULL,
		  "pop3-login: Disconnected (login refused, 2 attempts): "
		  "rip=192.0.2.7, lip=2001:db8::1, user=<x>, method=APOP, "
		  "session=<0000000000000abc>" },
		{ 2, 0, 0, NULL,
		  "pop3-login: Disconnected (no answer to 2 attempts): "
		  "rip=192.0.2.7, lip=2001:db8::1, user=<x>, method=APOP, "
		  "session=<0000000000000abc>" },
		{ 0, 0, 0, NULL,
		  "pop3-login: Disconnected (no auth attempts): "
		  "rip=192.0.2.7, lip=2001:db8::1, "
		  "session=<0000000000000abc>" },
		{ 1, 1, 0, "session died",
		  "pop3-login: Disconnected: session died "
		  "(auth failed, 1 attempts): "
		  "rip=192.0.2.7, lip=2001:db8::1, user=<x>, method=APOP, "
		  "session=<0000000000000abc>" },
	};
	const struct chan_bye bye = { .end = CHAN_END_QUIT };

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct keepersession s = asked("x", "APOP");
		struct buf b = BUF_INIT(KEEPERLOG_MAX);

		s.attempts = row[i].attempts;
		s.denied = row[i].denied;
		s.refused = row[i].refused;
		keeperlog_put_end(&b, &s, row[i].why ? NULL : &bye, row[i].why);
		assert_buf(&b, row[i].want);
		buf_release(&b);
	}
}

static void an_end_after_login_tells_what_was_done(void **state)
{
	const struct chan_bye bye = { CHAN_END_QUIT, 1, 20, 3, 40, 2, 5, 60,
				      7000 };
	struct keepersession s = asked("bob@example.com", "PLAIN");
	struct buf b = BUF_INIT(KEEPERLOG_MAX);

	(void)state;
	s.bound = true;
	s.listed = 12;
	s.database_us = 34056;
	keeperlog_put_end(&b, &s, &bye, NULL);
	assert_buf(&b, "pop3: rip=192.0.2.7, user=<bob@example.com>, "
		       "session=<0000000000000abc>: Disconnected: Logged out "
		       "top=1/20, retr=3/40, del=2/12, size=5, in=60, "
		       "out=7000, db=34.056ms");
	buf_reset(&b);
	keeperlog_put_end(&b, &s, NULL, "session died");
	assert_buf(&b, "pop3: rip=192.0.2.7, user=<bob@example.com>, "
		       "session=<0000000000000abc>: Disconnected: "
		       "session died");
	buf_release(&b);
}

static void tls_is_told_of(void **state)
{
	const struct chan_bye bye = { .end = CHAN_END_QUIT };
	struct keepersession s = asked("bob", "PLAIN");
	struct buf b = BUF_INIT(KEEPERLOG_MAX);

	(void)state;
	s.tls_told = s.tls = true;
	(void)snprintf(s.tls_version, sizeof(s.tls_version), "TLSv1.3");
	(void)snprintf(s.tls_detail, sizeof(s.tls_detail), "A<B");
	keeperlog_put_login(&b, &s);
	assert_buf(&b, "pop3-login: Login: rip=192.0.2.7, lip=2001:db8::1, "
		       "user=<bob>, method=PLAIN, TLS, version=TLSv1.3, "
		       "cipher=A\\x3cB, session=<0000000000000abc>");
	buf_reset(&b);
	s.bound = true;
	keeperlog_put_end(&b, &s, &bye, NULL);
	assert_non_null(strstr(buf_cstr(&b), "user=<bob>, TLS, version=TLSv1.3,"
					     " cipher=A\\x3cB, session="));
	buf_reset(&b);
	s = bob();
	s.tls_told = true;
	(void)snprintf(s.tls_detail, sizeof(s.tls_detail), "no cipher");
	keeperlog_put_end(&b, &s, &bye, NULL);
	assert_buf(&b, "pop3-login: Disconnected (no auth attempts): "
		       "rip=192.0.2.7, lip=2001:db8::1, TLS handshake failed: "
		       "no cipher, session=<0000000000000abc>");
	buf_release(&b);
}

static void rule_62_a_name_cannot_forge_a_line(void **state)
{
	struct keepersession s =
		asked("x>, rip=198.51.100.1\r\npop3-login: Login: <", "USER");
	struct buf b = BUF_INIT(KEEPERLOG_MAX);

	(void)state;
	s.denied = 1;
	keeperlog_put_end(&b, &s, NULL, "session died");
	assert_true(buf_ok(&b));
	assert_null(memchr(b.p, '\r', b.n));
	assert_null(memchr(b.p, '\n', b.n));
	assert_non_null(strstr(buf_cstr(&b),
			       "user=<x\\x3e, rip=198.51.100.1\\x0d\\x0a"
			       "pop3-login: Login: \\x3c>, method=USER"));
	buf_release(&b);
}

static void the_longest_name_fits(void **state)
{
	char name[AUTHPROTO_NAME_MAX + 100];
	struct keepersession s;
	struct buf b = BUF_INIT(KEEPERLOG_MAX);

	(void)state;
	memset(name, '\x1b', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	s = asked(name, "PLAIN");
	assert_int_equal(strlen(s.user), AUTHPROTO_NAME_MAX);
	keeperlog_put_drop(&b, &s, "malformed frame");
	assert_true(buf_ok(&b));
	assert_non_null(strstr(buf_cstr(&b), "...>, session=<0000000000000abc>"
					     ": channel dropped: "
					     "malformed frame"));
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(behind_a_proxy_a_login_names_both),
		cmocka_unit_test(a_login_names_the_address_before_the_user),
		cmocka_unit_test(an_end_without_login_tells_what_was_tried),
		cmocka_unit_test(an_end_after_login_tells_what_was_done),
		cmocka_unit_test(tls_is_told_of),
		cmocka_unit_test(rule_62_a_name_cannot_forge_a_line),
		cmocka_unit_test(the_longest_name_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
