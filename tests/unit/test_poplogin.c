/* tests/unit/test_poplogin.c: USER, PASS, APOP and AUTH beside a keeper in
 * memory. */
#include "tests/unit/poptest.h"

#include "lib/base64.h"

static int set_up(void **state)
{
	(void)state;
	poprig_init(&rig);
	poprig_add(&rig, 11, SPAN_LIT("A: b\r\n\r\nhello\r\n"));
	poprig_add(&rig, 12, SPAN_LIT("C: d\r\n\r\n.dot\r\n"));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	poprig_release(&rig);
	return 0;
}

static void user_and_pass_open_the_mailbox(void **state)
{
	(void)state;
	expect("USER bob@example.org", "+OK\r\n");
	expect("PASS secret", "+OK 2 messages\r\n");
	assert_int_equal(rig.pop.state, ST_TRANS);
}

static void one_message_is_not_messages(void **state)
{
	(void)state;
	rig.mails = 1;
	(void)poprig_say(&rig, "USER bob@example.org");
	expect("PASS secret", "+OK 1 message\r\n");
}

static void rule_48_user_says_the_same_of_everybody(void **state)
{
	(void)state;
	expect("USER nobody", "+OK\r\n");
	expect_reply("PASS x", R_POP_AUTH);
}

static void rule_49_a_password_keeps_its_blanks(void **state)
{
	(void)state;
	rig.password = " with  blanks ";
	(void)poprig_say(&rig, "USER bob@example.org");
	expect("PASS  with  blanks ", "+OK 2 messages\r\n");
}

static void rule_48_pass_needs_a_user_and_after_a_failure_a_new_one(
	void **state)
{
	(void)state;
	expect_reply("PASS secret", R_POP_NOUSER);
	(void)poprig_say(&rig, "USER bob@example.org");
	expect_reply("PASS wrong", R_POP_AUTH);
	expect_reply("PASS secret", R_POP_NOUSER);
	(void)poprig_say(&rig, "USER bob@example.org");
	expect("PASS secret", "+OK 2 messages\r\n");
}

static void the_third_failure_is_the_last(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		(void)poprig_say(&rig, "USER bob@example.org");
		expect_reply("PASS wrong", R_POP_AUTH);
	}
	(void)poprig_say(&rig, "USER bob@example.org");
	expect_reply("PASS wrong", R_POP_ATTEMPTS);
	expect_end(CHAN_END_ATTEMPTS);
}

static void rule_50_a_database_that_is_down_is_no_wrong_password(void **state)
{
	(void)state;
	rig.down = true;
	(void)poprig_say(&rig, "USER bob@example.org");
	expect_reply("PASS secret", R_POP_TEMP);
	assert_false(rig.pop.ended);
	rig.down = false;
	(void)poprig_say(&rig, "USER bob@example.org");
	expect("PASS secret", "+OK 2 messages\r\n");
}

static void a_password_of_1024_octets_is_taken_and_not_one_more(void **state)
{
	char line[5 + CHAN_SECRET_MAX + 2] = "PASS ";

	(void)state;
	memset(line + 5, 'p', CHAN_SECRET_MAX + 1);
	(void)poprig_say(&rig, "USER bob@example.org");
	expect_reply(line, R_POP_LONG);
	(void)poprig_say(&rig, "USER bob@example.org");
	line[5 + CHAN_SECRET_MAX] = '\0';
	expect_reply(line, R_POP_AUTH);
	assert_int_equal(rig.last_secret.n, CHAN_SECRET_MAX);
}

/* SASL */

static void auth_plain_takes_an_initial_response(void **state)
{
	(void)state;
	/* NUL bob@example.org NUL secret */
	expect("AUTH PLAIN AGJvYkBleGFtcGxlLm9yZwBzZWNyZXQ=",
	       "+OK 2 messages\r\n");
	assert_text(rig.last_user, span_of("bob@example.org"));
}

static void auth_plain_asks_for_its_response(void **state)
{
	(void)state;
	expect("auth plain", "+ \r\n");
	expect("AGJvYkBleGFtcGxlLm9yZwBzZWNyZXQ=", "+OK 2 messages\r\n");
}

static void auth_login_asks_for_name_and_password(void **state)
{
	(void)state;
	expect("AUTH LOGIN", "+ VXNlcm5hbWU6\r\n");
	expect("Ym9iQGV4YW1wbGUub3Jn", "+ UGFzc3dvcmQ6\r\n");
	expect("c2VjcmV0", "+OK 2 messages\r\n");
}

static void auth_login_takes_the_name_at_once(void **state)
{
	(void)state;
	expect("AUTH LOGIN Ym9iQGV4YW1wbGUub3Jn", "+ UGFzc3dvcmQ6\r\n");
	expect("c2VjcmV0", "+OK 2 messages\r\n");
}

static void rule_51_an_equals_sign_is_the_empty_response(void **state)
{
	(void)state;
	expect_reply("AUTH PLAIN =", R_POP_SYNTAX);
	expect_reply("AUTH LOGIN =", R_POP_SYNTAX);
	assert_int_equal(rig.auths, 0);
}

static void rule_51_an_asterisk_cancels_and_user_still_works(void **state)
{
	(void)state;
	(void)poprig_say(&rig, "AUTH LOGIN");
	expect_reply("*", R_POP_CANCELLED);
	(void)poprig_say(&rig, "AUTH PLAIN");
	expect_reply("*", R_POP_CANCELLED);
	(void)poprig_say(&rig, "USER bob@example.org");
	expect("PASS secret", "+OK 2 messages\r\n");
}

static void bad_base64_ends_the_exchange(void **state)
{
	(void)state;
	(void)poprig_say(&rig, "AUTH PLAIN");
	expect_reply("not base64!", R_POP_BASE64);
	expect_reply("STAT", R_POP_STATE);
}

static void a_nul_in_a_name_or_password_is_malformed(void **state)
{
	(void)state;
	(void)poprig_say(&rig, "AUTH LOGIN");
	expect_reply("Ym9iAHg=", R_POP_SYNTAX);
	(void)poprig_say(&rig, "AUTH LOGIN Ym9i");
	expect_reply("cABx", R_POP_SYNTAX);
	assert_int_equal(rig.auths, 0);
}

static void rule_52_a_long_response_goes_by_continuation_only(void **state)
{
	struct buf message = BUF_INIT(4096), line = BUF_INIT(8192);
	char password[CHAN_SECRET_MAX];

	(void)state;
	memset(password, 'p', sizeof(password));
	buf_putc(&message, '\0');
	buf_puts(&message, "bob@example.org");
	buf_putc(&message, '\0');
	buf_put(&message, password, sizeof(password));
	buf_puts(&line, "AUTH PLAIN ");
	base64_encode(buf_span(&message), &line);
	expect_reply(buf_cstr(&line), R_POP_LONG);
	expect("AUTH PLAIN", "+ \r\n");
	expect_reply(buf_cstr(&line) + 11, R_POP_AUTH);
	assert_int_equal(rig.last_secret.n, sizeof(password));
	buf_release(&message);
	buf_release(&line);
}

static void an_endless_continuation_is_too_long(void **state)
{
	char line[4001];

	(void)state;
	memset(line, 'A', 4000);
	line[4000] = '\0';
	(void)poprig_say(&rig, "AUTH PLAIN");
	expect_reply(line, R_POP_LONG);
}

static void rule_53_bare_auth_lists_the_mechanisms(void **state)
{
	(void)state;
	expect("AUTH", "+OK\r\nPLAIN\r\nLOGIN\r\n.\r\n");
	expect_reply("AUTH CRAM-MD5", R_POP_MECH);
	expect_reply("AUTH APOP", R_POP_MECH);
	rig.pop.rules.cram_md5 = true;
	expect("AUTH", "+OK\r\nPLAIN\r\nLOGIN\r\nCRAM-MD5\r\n.\r\n");
}

/* RFC 2449 s.5: the same before and after the login, but for EXPIRE. */
static void rule_42_capa_is_what_is_true(void **state)
{
	static const char plain[] =
		"+OK\r\nTOP\r\nUIDL\r\nUSER\r\nSASL PLAIN LOGIN\r\n"
		"RESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nUTF8\r\n"
		"EXPIRE 1 USER\r\nIMPLEMENTATION Mailrow\r\n.\r\n";
	static const char more[] =
		"+OK\r\nTOP\r\nUIDL\r\nUSER\r\nSASL PLAIN LOGIN CRAM-MD5\r\n"
		"RESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nUTF8\r\n"
		"EXPIRE 1 USER\r\nLOGIN-DELAY 91\r\n"
		"IMPLEMENTATION Mailrow\r\n.\r\n";
	static const char in[] =
		"+OK\r\nTOP\r\nUIDL\r\nUSER\r\nSASL PLAIN LOGIN CRAM-MD5\r\n"
		"RESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nUTF8\r\n"
		"EXPIRE NEVER\r\nLOGIN-DELAY 91\r\n"
		"IMPLEMENTATION Mailrow\r\n.\r\n";
	static const char days[] =
		"+OK\r\nTOP\r\nUIDL\r\nUSER\r\nSASL PLAIN LOGIN CRAM-MD5\r\n"
		"RESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nUTF8\r\n"
		"EXPIRE 30\r\nLOGIN-DELAY 91\r\n"
		"IMPLEMENTATION Mailrow\r\n.\r\n";

	(void)state;
	expect("CAPA", plain);
	rig.pop.rules.cram_md5 = true;
	rig.pop.rules.login_delay = 90001;
	expect("CAPA", more);
	poprig_login(&rig);
	expect("CAPA", in);
	rig.pop.grant.expire_days = 30;
	expect("CAPA", days);
}

/* RFC 2195 s.2, with its example's digest. */
static void cram_md5_hands_on_the_digest(void **state)
{
	static const uint8_t digest[16] = { 0xb9, 0x13, 0xa6, 0x02, 0xc7, 0xed,
					    0xa7, 0xa4, 0x95, 0xb4, 0xe6, 0xe7,
					    0x33, 0x4d, 0x38, 0x90 };

	(void)state;
	rig.pop.rules.cram_md5 = true;
	rig.user = "tim";
	expect("AUTH CRAM-MD5", "+ PDEuMkBoPg==\r\n");
	expect("dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw",
	       "+OK 2 messages\r\n");
	assert_int_equal(rig.last_secret.n, 16);
	assert_memory_equal(rig.last_secret.p, digest, 16);
}

static void a_malformed_cram_md5_is_not_asked_about(void **state)
{
	static const char *const bad[] = {
		"",                                             /* nothing */
		"dGlt",                                         /* tim */
		"IGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw", /* no name */
		"dGltLWI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw",
		"dGltIHg5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw",
		"dGkAIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw",
	};

	(void)state;
	rig.pop.rules.cram_md5 = true;
	for (size_t i = 0; i < COUNT(bad); i++) {
		(void)poprig_say(&rig, "AUTH CRAM-MD5");
		expect_reply(bad[i], R_POP_SYNTAX);
	}
	/* it has no initial response (RFC 5034 s.4) */
	expect_reply("AUTH CRAM-MD5 dGlt", R_POP_SYNTAX);
	expect_reply("AUTH CRAM-MD5 =", R_POP_SYNTAX);
	assert_int_equal(rig.auths, 0);
}

static void rule_50_each_refusal_has_its_code(void **state)
{
	static const struct {
		enum chan_denial why;
		const char *begin;
	} row[] = {
		{ CHAN_DENIED_CLOSED, "-ERR [SYS/PERM] " },
		{ CHAN_DENIED_EARLY, "-ERR [LOGIN-DELAY] " },
		{ CHAN_DENIED_IN_USE, "-ERR [IN-USE] " },
		{ CHAN_DENIED_LOCKED, "-ERR [IN-USE] another session " },
	};

	(void)state;
	rig.pop.rules.auth_attempts = COUNT(row) + 1;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct span got;

		rig.denial = row[i].why;
		(void)poprig_say(&rig, "USER bob@example.org");
		got = poprig_say(&rig, "PASS secret");
		assert_true(span_starts_nocase(got, span_of(row[i].begin)));
		assert_int_equal(rig.pop.state, ST_AUTH);
	}
	/* who does not know the password learns nothing of it */
	(void)poprig_say(&rig, "USER bob@example.org");
	expect_reply("PASS wrong", R_POP_ATTEMPTS);
	expect_end(CHAN_END_ATTEMPTS);
}

static void rule_56_utf8_is_agreed_to_at_any_time(void **state)
{
	(void)state;
	expect("UTF8", "+OK\r\n");
	expect_reply("UTF8 USER", R_POP_ARGS);
	rig.password = "p\xc3\xa4ss\xe2\x82\xac";
	(void)poprig_say(&rig, "USER bob@example.org");
	expect("PASS p\xc3\xa4ss\xe2\x82\xac", "+OK 2 messages\r\n");
	expect("utf8", "+OK\r\n");
	expect_reply("LANG", R_POP_UNKNOWN);
	expect_reply("LANG *", R_POP_UNKNOWN);
}

static void apop_is_refused_when_it_is_off(void **state)
{
	(void)state;
	expect_reply("APOP bob c4c9334bac560ecc979e58001b3e22fb", R_POP_MECH);
	assert_int_equal(rig.auths, 0);
}

static void apop_hands_on_the_digest(void **state)
{
	static const uint8_t digest[16] = { 0xc4, 0xc9, 0x33, 0x4b, 0xac, 0x56,
					    0x0e, 0xcc, 0x97, 0x9e, 0x58, 0x00,
					    0x1b, 0x3e, 0x22, 0xfb };

	(void)state;
	rig.pop.rules.apop = true;
	expect_reply("APOP bob c4c9334bac560ecc979e58001b3e22f", R_POP_SYNTAX);
	expect_reply("APOP bob g4c9334bac560ecc979e58001b3e22fb", R_POP_SYNTAX);
	expect("APOP bob@example.org c4c9334bac560ecc979e58001B3E22FB",
	       "+OK 2 messages\r\n");
	assert_int_equal(rig.last_secret.n, 16);
	assert_memory_equal(rig.last_secret.p, digest, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(user_and_pass_open_the_mailbox),
		TEST(one_message_is_not_messages),
		TEST(rule_48_user_says_the_same_of_everybody),
		TEST(rule_49_a_password_keeps_its_blanks),
		TEST(rule_48_pass_needs_a_user_and_after_a_failure_a_new_one),
		TEST(the_third_failure_is_the_last),
		TEST(rule_50_a_database_that_is_down_is_no_wrong_password),
		TEST(a_password_of_1024_octets_is_taken_and_not_one_more),
		TEST(auth_plain_takes_an_initial_response),
		TEST(auth_plain_asks_for_its_response),
		TEST(auth_login_asks_for_name_and_password),
		TEST(auth_login_takes_the_name_at_once),
		TEST(rule_51_an_equals_sign_is_the_empty_response),
		TEST(rule_51_an_asterisk_cancels_and_user_still_works),
		TEST(bad_base64_ends_the_exchange),
		TEST(a_nul_in_a_name_or_password_is_malformed),
		TEST(rule_52_a_long_response_goes_by_continuation_only),
		TEST(an_endless_continuation_is_too_long),
		TEST(rule_53_bare_auth_lists_the_mechanisms),
		TEST(rule_42_capa_is_what_is_true),
		TEST(cram_md5_hands_on_the_digest),
		TEST(a_malformed_cram_md5_is_not_asked_about),
		TEST(rule_50_each_refusal_has_its_code),
		TEST(rule_56_utf8_is_agreed_to_at_any_time),
		TEST(apop_is_refused_when_it_is_off),
		TEST(apop_hands_on_the_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
