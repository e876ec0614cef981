/* tests/unit/test_poptls.c: STLS, and passwords that must not come without. */
#include "tests/unit/poptest.h"

#include "pop3d/poptls.h"

static int set_up(void **state)
{
	(void)state;
	poprig_init(&rig);
	poprig_add(&rig, 11, SPAN_LIT("A: b\r\n\r\nhello\r\n"));
	rig.pop.rules.stls = true;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	poprig_release(&rig);
	return 0;
}

static bool capa_has(const char *line)
{
	struct buf b = BUF_INIT(4096);
	bool has;

	buf_put_span(&b, poprig_say(&rig, "CAPA"));
	has = strstr(buf_cstr(&b), line) != NULL;
	buf_release(&b);
	return has;
}

/* As the owner does it. */
static void begin_tls(void)
{
	expect("STLS", "");
	assert_int_equal(rig.pop.job, JOB_STLS);
	assert_false(popstate_wants_line(&rig.pop));
	poptls_answer(&rig.pop, false);
	assert_buf(&rig.out, "+OK begin TLS\r\n");
	buf_reset(&rig.out);
	poptls_begun(&rig.pop);
}

static void rule_45_stls_is_offered_until_it_is_on(void **state)
{
	(void)state;
	assert_true(capa_has("\r\nSTLS\r\n"));
	begin_tls();
	assert_true(popstate_wants_line(&rig.pop));
	assert_false(capa_has("STLS"));
	expect_reply("STLS", R_POP_STLS_ON);
	expect("USER bob@example.org", "+OK\r\n");
	expect("PASS secret", "+OK 1 message\r\n");
	assert_true(rig.last_tls);
}

static void rule_45_stls_is_not_for_who_has_logged_in(void **state)
{
	(void)state;
	expect("USER bob@example.org", "+OK\r\n");
	expect("PASS secret", "+OK 1 message\r\n");
	assert_false(rig.last_tls);
	assert_false(capa_has("STLS"));
	expect_reply("STLS", R_POP_STATE);
}

static void without_a_certificate_there_is_no_stls(void **state)
{
	(void)state;
	rig.pop.rules.stls = false;
	assert_false(capa_has("STLS"));
	expect_reply("STLS", R_POP_STLS_OFF);
	assert_int_equal(rig.pop.job, JOB_NONE);
}

/* RFC 2595 s.4. */
static void rule_45_what_was_said_before_is_forgotten(void **state)
{
	(void)state;
	expect("USER bob@example.org", "+OK\r\n");
	begin_tls();
	expect_reply("PASS secret", R_POP_NOUSER);
}

static void rule_45_octets_behind_stls_end_the_session(void **state)
{
	struct buf want = BUF_INIT(512);

	(void)state;
	expect("STLS", "");
	poptls_answer(&rig.pop, true);
	reply_put_pop3(&want, R_POP_STLS_AHEAD);
	assert_text(buf_span(&rig.out), buf_span(&want));
	expect_end(CHAN_END_ERRORS);
	buf_release(&want);
}

/* A new layer is no new chance. */
static void failed_logins_count_on_under_tls(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		expect("USER bob@example.org", "+OK\r\n");
		expect_reply("PASS wrong", R_POP_AUTH);
	}
	begin_tls();
	expect("USER bob@example.org", "+OK\r\n");
	expect_reply("PASS wrong", R_POP_ATTEMPTS);
}

static void rule_42_no_password_comes_in_clear_where_tls_is_needed(void **state)
{
	static const char *const lines[] = {
		"USER bob@example.org",
		"PASS secret",
		"AUTH PLAIN",
		"AUTH PLAIN AGJvYkBleGFtcGxlLm9yZwBzZWNyZXQ=",
		"AUTH LOGIN",
	};

	(void)state;
	rig.pop.rules.needs_tls = true;
	for (size_t i = 0; i < COUNT(lines); i++)
		expect_reply(lines[i], R_POP_CLEAR);
	expect("AUTH", "+OK\r\n.\r\n");
	assert_false(capa_has("\r\nUSER") || capa_has("SASL"));
	assert_true(capa_has("\r\nSTLS\r\n"));
	assert_int_equal(rig.auths, 0);
	begin_tls();
	assert_true(capa_has("\r\nUSER\r\n") && capa_has("\r\nSASL PLAIN"));
	expect("AUTH PLAIN AGJvYkBleGFtcGxlLm9yZwBzZWNyZXQ=",
	       "+OK 1 message\r\n");
}

/* A digest is no password. */
static void a_digest_may_come_in_clear(void **state)
{
	(void)state;
	rig.pop.rules.needs_tls = true;
	rig.pop.rules.apop = true;
	rig.pop.rules.cram_md5 = true;
	rig.pop.rules.challenge = "<1@x>";
	assert_true(capa_has("\r\nSASL CRAM-MD5\r\n"));
	expect("AUTH", "+OK\r\nCRAM-MD5\r\n.\r\n");
	expect("AUTH CRAM-MD5", "+ PDFAeD4=\r\n");
	expect_reply("*", R_POP_CANCELLED);
	expect("APOP bob@example.org 0123456789abcdef0123456789abcdef",
	       "+OK 1 message\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rule_45_stls_is_offered_until_it_is_on),
		TEST(rule_45_stls_is_not_for_who_has_logged_in),
		TEST(without_a_certificate_there_is_no_stls),
		TEST(rule_45_what_was_said_before_is_forgotten),
		TEST(rule_45_octets_behind_stls_end_the_session),
		TEST(failed_logins_count_on_under_tls),
		TEST(rule_42_no_password_comes_in_clear_where_tls_is_needed),
		TEST(a_digest_may_come_in_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
