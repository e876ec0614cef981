/* tests/unit/test_authproto.c */
#include "tests/unit/wire.h"

#include "lib/authproto.h"
#include "lib/base64.h"

static struct authproto_request parse(struct span line)
{
	struct authproto_request r;

	if (!authproto_parse_request(line, &r))
		fail_msg("\"%.*s\" was not taken", (int)line.n, line.p);
	return r;
}

static void assert_ip(const struct ipaddr *a, const char *want)
{
	char text[IPADDR_TEXT_MAX];

	assert_string_equal(ipaddr_text(a, text), want);
}

static void the_verbs_of_a_client_are_known(void **state)
{
	static const struct {
		const char *line;
		enum authproto_verb verb;
		uint64_t id;
	} rows[] = {
		{ "VERSION\t1\t0", AUTHPROTO_VERSION, 1 },
		{ "VERSION\t2\t0", AUTHPROTO_VERSION, 2 },
		{ "VERSION\t1", AUTHPROTO_VERSION, 1 },
		{ "CPID\t4711", AUTHPROTO_CPID, 0 },
		{ "AUTH\t7\tPLAIN\tservice=smtp", AUTHPROTO_AUTH, 7 },
		{ "CONT\t4294967295\tYQ==", AUTHPROTO_CONT, 4294967295 },
		{ "CANCEL\t3", AUTHPROTO_CANCEL, 3 },
		{ "auth\t1\tPLAIN", AUTHPROTO_OTHER, 0 },
		{ "AUTHX\t1\tPLAIN", AUTHPROTO_OTHER, 0 },
		{ "REQUEST\t1\t2\t3", AUTHPROTO_OTHER, 0 },
		{ "", AUTHPROTO_OTHER, 0 },
		{ "\t", AUTHPROTO_OTHER, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct authproto_request r = parse(span_of(rows[i].line));

		assert_int_equal(r.verb, rows[i].verb);
		assert_int_equal(r.id, rows[i].id);
	}
}

static void malformed_requests_are_rejected(void **state)
{
	static const char *const bad[] = {
		"VERSION",
		"VERSION\t",
		"VERSION\tx\t1",
		"AUTH",
		"AUTH\t",
		"AUTH\t1",
		"AUTH\t1\t",
		"AUTH\t-1\tPLAIN",
		"AUTH\t 1\tPLAIN",
		"AUTH\tx\tPLAIN",
		"AUTH\t18446744073709551616\tPLAIN",
		"AUTH\t\tPLAIN",
		"CONT",
		"CONT\t",
		"CONT\tx\tYQ==",
		"CANCEL",
		"CANCEL\tx",
	};
	struct authproto_request r;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (authproto_parse_request(span_of(bad[i]), &r))
			fail_msg("\"%s\" was taken", bad[i]);
}

static void a_line_over_the_maximum_is_rejected(void **state)
{
	static char line[AUTHPROTO_LINE_MAX + 1];
	struct authproto_answer a;
	struct authproto_request r;
	struct buf scratch = BUF_INIT(2 * AUTHPROTO_LINE_MAX);

	(void)state;
	memset(line, 'x', sizeof(line));
	assert_true(
		authproto_parse_request(span_make(line, sizeof(line) - 1), &r));
	assert_false(
		authproto_parse_request(span_make(line, sizeof(line)), &r));
	assert_true(authproto_parse_answer(span_make(line, sizeof(line) - 1),
					   &scratch, &a));
	assert_false(authproto_parse_answer(span_make(line, sizeof(line)),
					    &scratch, &a));
	buf_release(&scratch);
}

static void the_line_of_postfix_is_understood(void **state)
{
	struct authproto_request r =
		parse(SPAN_LIT("AUTH\t1\tPLAIN\tservice=smtp\tnologin"
			       "\tlip=192.0.2.1\trip=2001:db8::9\tsecured"
			       "\tresp=AGEAYg=="));

	(void)state;
	assert_int_equal(r.mech, MECH_PLAIN);
	assert_text(r.service, SPAN_LIT("smtp"));
	assert_ip(&r.lip, "192.0.2.1");
	assert_ip(&r.rip, "2001:db8::9");
	assert_true(r.has_rip);
	assert_true(r.secured);
	assert_true(r.has_resp);
	assert_text(r.resp, SPAN_LIT("AGEAYg=="));
}

static void what_is_not_told_is_empty(void **state)
{
	static const struct ipaddr zero;
	struct authproto_request r =
		parse(SPAN_LIT("AUTH\t1\tSCRAM-SHA-256\trip=nonsense\tlip="));

	(void)state;
	assert_int_equal(r.mech, MECH_NONE);
	assert_text(r.service, SPAN_EMPTY);
	assert_memory_equal(&r.rip, &zero, sizeof(zero));
	assert_memory_equal(&r.lip, &zero, sizeof(zero));
	assert_false(r.has_rip);
	assert_false(r.secured);
	assert_false(r.has_resp);
	assert_text(r.resp, SPAN_EMPTY);
}

static void an_empty_response_is_not_an_absent_one(void **state)
{
	struct authproto_request r = parse(SPAN_LIT("AUTH\t1\tLOGIN\tresp="));

	(void)state;
	assert_int_equal(r.mech, MECH_LOGIN);
	assert_true(r.has_resp);
	assert_int_equal(r.resp.n, 0);
	r = parse(SPAN_LIT("CONT\t1"));
	assert_true(r.has_resp);
	assert_int_equal(r.resp.n, 0);
}

static void nothing_behind_resp_is_a_parameter(void **state)
{
	struct authproto_request r =
		parse(SPAN_LIT("AUTH\t1\tPLAIN\tresp=AA\tsecured\tresp=B"));

	(void)state;
	assert_false(r.secured);
	assert_text(r.resp, SPAN_LIT("AA\tsecured\tresp=B"));
	r = parse(SPAN_LIT("CONT\t1\tAA\tsecured"));
	assert_text(r.resp, SPAN_LIT("AA\tsecured"));
	r = parse(SPAN_LIT("AUTH\t1\tPLAIN\txresp=AA\tresponse=B\tsecured"));
	assert_true(r.secured);
	assert_false(r.has_resp);
}

static void the_handshake_names_mechanisms_before_spid(void **state)
{
	const uint8_t cookie[16] = { 0x00, 0x0f, 0xf0, 0xff, 4,  5,  6,  7,
				     8,    9,    10,   11,   12, 13, 14, 15 };
	struct buf b = BUF_INIT(1000);

	(void)state;
	authproto_put_handshake(&b, 1u << MECH_PLAIN | 1u << MECH_LOGIN, 12, 34,
				cookie);
	assert_buf(&b, "VERSION\t1\t1\n"
		       "MECH\tLOGIN\tplaintext\nMECH\tPLAIN\tplaintext\n"
		       "SPID\t12\nCUID\t34\n"
		       "COOKIE\t000ff0ff0405060708090a0b0c0d0e0f\nDONE\n");
	buf_reset(&b);
	authproto_put_handshake(&b, 1u << MECH_APOP | 1u << MECH_CRAM_MD5, 1, 2,
				cookie);
	assert_buf(&b, "VERSION\t1\t1\n"
		       "MECH\tAPOP\tprivate\tdictionary\tactive\n"
		       "MECH\tCRAM-MD5\tprivate\tdictionary\tactive\n"
		       "SPID\t1\nCUID\t2\n"
		       "COOKIE\t000ff0ff0405060708090a0b0c0d0e0f\nDONE\n");
	buf_release(&b);
}

static void answers_are_escaped_but_users_are_not(void **state)
{
	const struct authproto_ok all = { SPAN_LIT("bob@d.test"),
					  SPAN_LIT("a\tb\001c\r\n"),
					  SPAN_LIT("7") };
	const struct authproto_ok user = { SPAN_LIT("b@d"), SPAN_EMPTY,
					   SPAN_EMPTY };
	struct buf b = BUF_INIT(1000);

	(void)state;
	authproto_put_ok(&b, 9, &all);
	authproto_put_ok(&b, 10, &user);
	authproto_put_cont(&b, 11, SPAN_LIT("VXNlcm5hbWU6"));
	authproto_put_fail(&b, 12, SPAN_EMPTY, "");
	authproto_put_fail(&b, 13, SPAN_LIT("b\t@d"), "temp_fail");
	assert_buf(&b, "OK\t9\tuser=bob@d.test\tmailbox=a\001tb\0011c\001r\001n"
		       "\tincarnation=7\n"
		       "OK\t10\tuser=b@d\n"
		       "CONT\t11\tVXNlcm5hbWU6\n"
		       "FAIL\t12\n"
		       "FAIL\t13\tuser=b\001t@d\tcode=temp_fail\n");
	buf_release(&b);
}

static void a_user_that_postfix_would_misread_is_not_sent(void **state)
{
	const struct span users[] = { SPAN_EMPTY,       SPAN_LIT("a\tb"),
				      SPAN_LIT("a\nb"), SPAN_LIT("a\rb"),
				      SPAN_LIT("a\0b"), SPAN_LIT("a\001b") };

	(void)state;
	for (size_t i = 0; i < COUNT(users); i++) {
		const struct authproto_ok ok = { users[i], SPAN_EMPTY,
						 SPAN_EMPTY };
		struct buf b = BUF_INIT(1000);

		authproto_put_ok(&b, 1, &ok);
		assert_false(buf_ok(&b));
		assert_int_equal(b.n, 0);
		buf_release(&b);
	}
}

static void answers_are_understood(void **state)
{
	static const struct {
		const char *line;
		enum authproto_answer_kind kind;
		uint64_t id;
		const char *user, *mailbox, *incarnation;
	} rows[] = {
		{ "VERSION\t1\t2", AUTHPROTO_A_OTHER, 0, "", "", "" },
		{ "MECH\tPLAIN\tplaintext", AUTHPROTO_A_OTHER, 0, "", "", "" },
		{ "SPID\t1", AUTHPROTO_A_OTHER, 0, "", "", "" },
		{ "DONE", AUTHPROTO_A_DONE, 0, "", "", "" },
		{ "CONT\t5\t", AUTHPROTO_A_CONT, 5, "", "", "" },
		{ "OK\t6\tuser=b@d", AUTHPROTO_A_OK, 6, "b@d", "", "" },
		{ "OK\t6\tx=y\tuser=a=b\tmailbox=m\001t\001n\0011\tanonymous"
		  "\tincarnation=3",
		  AUTHPROTO_A_OK, 6, "a=b", "m\t\n\001", "3" },
		{ "FAIL\t7", AUTHPROTO_A_FAIL, 7, "", "", "" },
		{ "FAIL\t7\tuser=b@d\treason=temp", AUTHPROTO_A_FAIL, 7, "b@d",
		  "", "" },
		{ "FAIL\t7\tcode=user_disabled", AUTHPROTO_A_CLOSED, 7, "", "",
		  "" },
		{ "FAIL\t7\tcode=authz_fail", AUTHPROTO_A_FAIL, 7, "", "", "" },
		{ "FAIL\t7\tuser=b@d\tcode=temp_fail", AUTHPROTO_A_TEMP, 7,
		  "b@d", "", "" },
		{ "FAIL\t7\ttemp", AUTHPROTO_A_TEMP, 7, "", "", "" },
	};
	struct buf scratch = BUF_INIT(AUTHPROTO_LINE_MAX);
	struct authproto_answer a;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(authproto_parse_answer(span_of(rows[i].line),
						   &scratch, &a));
		assert_int_equal(a.kind, rows[i].kind);
		assert_int_equal(a.id, rows[i].id);
		assert_text(a.user, span_of(rows[i].user));
		assert_text(a.mailbox, span_of(rows[i].mailbox));
		assert_text(a.incarnation, span_of(rows[i].incarnation));
	}
	buf_release(&scratch);
}

static void malformed_answers_are_rejected(void **state)
{
	static const char *const bad[] = {
		"VERSION\t2\t0",
		"VERSION",
		"OK",
		"OK\tx",
		"OK\t1",
		"OK\t1\tuser=",
		"FAIL",
		"FAIL\t\tuser=b",
		"CONT",
		"CONT\tx",
		"OK\t1\tuser=b\001",
		"OK\t1\tuser=b\001x",
		"FAIL\t1\tuser=\001",
	};
	struct buf scratch = BUF_INIT(AUTHPROTO_LINE_MAX);
	struct authproto_answer a;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (authproto_parse_answer(span_of(bad[i]), &scratch, &a))
			fail_msg("\"%s\" was taken", bad[i]);
	buf_release(&scratch);
}

static void what_put_ok_says_is_read_back(void **state)
{
	const struct authproto_ok ok = {
		SPAN_LIT("bob@d.test"),
		SPAN_LIT("a\tb\001c\r\n\0d=e"),
		SPAN_LIT("\001\001"),
	};
	struct buf b = BUF_INIT(1000), scratch = BUF_INIT(AUTHPROTO_LINE_MAX);
	struct authproto_answer a;

	(void)state;
	authproto_put_ok(&b, UINT64_MAX, &ok);
	assert_true(authproto_parse_answer(span_head(buf_span(&b), b.n - 1),
					   &scratch, &a));
	assert_int_equal(a.kind, AUTHPROTO_A_OK);
	assert_true(a.id == UINT64_MAX);
	assert_text(a.user, ok.user);
	assert_text(a.mailbox, ok.mailbox);
	assert_text(a.incarnation, ok.incarnation);
	buf_release(&b);
	buf_release(&scratch);
}

static void a_login_by_plain_is_one_line(void **state)
{
	struct authproto_login l = { .mech = MECH_PLAIN,
				     .service = "pop3",
				     .secured = true,
				     .user = SPAN_LIT("a"),
				     .secret = SPAN_LIT("b") };
	struct buf b = BUF_INIT(1000);

	(void)state;
	assert_true(ipaddr_parse(SPAN_LIT("192.0.2.7"), &l.rip));
	authproto_put_hello(&b, 99);
	authproto_put_auth(&b, 5, &l);
	assert_buf(&b, "VERSION\t1\t1\nCPID\t99\n"
		       "AUTH\t5\tPLAIN\tservice=pop3\trip=192.0.2.7\tsecured"
		       "\tresp=AGEAYg==\n");
	buf_release(&b);
}

static void a_login_by_apop_carries_the_challenge(void **state)
{
	struct authproto_login l = { .mech = MECH_APOP,
				     .service = "pop3",
				     .user = SPAN_LIT("a"),
				     .secret = SPAN_LIT("0123456789abcdef"),
				     .challenge = SPAN_LIT("<1@h>") };
	struct buf b = BUF_INIT(1000), raw = BUF_INIT(1000);
	struct authproto_request r;

	(void)state;
	authproto_put_auth(&b, 5, &l);
	r = parse(span_head(buf_span(&b), b.n - 1));
	assert_int_equal(r.mech, MECH_APOP);
	assert_false(r.secured);
	assert_true(base64_decode(r.resp, &raw));
	assert_text(buf_span(&raw), SPAN_LIT("<1@h>\0a\0"
					     "0123456789abcdef"));
	buf_release(&b);
	buf_release(&raw);
}

static void a_state_is_asked_with_a_name_alone(void **state)
{
	struct authproto_login l = { .mech = MECH_STATE,
				     .service = "pop3",
				     .user = SPAN_LIT("a@b"),
				     .secret = SPAN_EMPTY,
				     .challenge = SPAN_EMPTY };
	struct buf b = BUF_INIT(1000), raw = BUF_INIT(1000);
	struct authproto_request r;

	(void)state;
	authproto_put_auth(&b, 6, &l);
	r = parse(span_head(buf_span(&b), b.n - 1));
	assert_int_equal(r.mech, MECH_STATE);
	assert_true(base64_decode(r.resp, &raw));
	assert_text(buf_span(&raw), SPAN_LIT("a@b"));
	buf_release(&b);
	buf_release(&raw);
}

static void a_login_that_cannot_be_said_fails_the_buffer(void **state)
{
	static char big[AUTHPROTO_LINE_MAX];
	struct authproto_login l = { .mech = MECH_LOGIN, .service = "pop3" };
	struct buf b = BUF_INIT(100000);

	(void)state;
	authproto_put_auth(&b, 5, &l);
	assert_false(buf_ok(&b));
	buf_reset(&b);
	l.mech = MECH_PLAIN;
	l.secret = span_make(big, sizeof(big));
	authproto_put_auth(&b, 5, &l);
	assert_false(buf_ok(&b));
	buf_release(&b);
}

#define TEN     "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define NAME320 HUNDRED HUNDRED HUNDRED TEN TEN
#define SECRET1024                                                             \
	HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED        \
		HUNDRED HUNDRED TEN TEN "0123"
#define S(s)                                                                   \
	{                                                                      \
		"" s, sizeof(s) - 1                                            \
	}

static void a_plain_message_has_exactly_three_parts(void **state)
{
	static const struct {
		struct span message;
		struct span user; /* empty: malformed */
		struct span password;
	} rows[] = {
		{ S("\0bob\0secret"), S("bob"), S("secret") },
		{ S("bob\0bob\0secret"), S("bob"), S("secret") },
		{ S("\0bob\0 s "), S("bob"), S(" s ") },
		{ S("\0" NAME320 "\0s"), S(NAME320), S("s") },
		{ S("\0b\0" SECRET1024), S("b"), S(SECRET1024) },
		{ S("\0" NAME320 "x\0s"), S(""), S("") },
		{ S("\0b\0" SECRET1024 "x"), S(""), S("") },
		{ S("eve\0bob\0secret"), S(""), S("") },
		{ S("bobb\0bob\0secret"), S(""), S("") },
		{ S("\0bob\0secret\0"), S(""), S("") },
		{ S("\0bob\0sec\0ret"), S(""), S("") },
		{ S("\0bob\0"), S(""), S("") },
		{ S("\0\0secret"), S(""), S("") },
		{ S("\0\0"), S(""), S("") },
		{ S("\0bob"), S(""), S("") },
		{ S("bob"), S(""), S("") },
		{ S(""), S(""), S("") },
	};
	struct span user, password;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool ok = auth_plain_split(rows[i].message, &user, &password);

		assert_int_equal(ok, rows[i].user.n > 0);
		if (!ok)
			continue;
		assert_text(user, rows[i].user);
		assert_text(password, rows[i].password);
	}
}

static void mechanisms_have_names_in_any_case(void **state)
{
	(void)state;
	assert_int_equal(auth_mech_parse(SPAN_LIT("plain")), MECH_PLAIN);
	assert_int_equal(auth_mech_parse(SPAN_LIT("LOGIN")), MECH_LOGIN);
	assert_int_equal(auth_mech_parse(SPAN_LIT("Apop")), MECH_APOP);
	assert_int_equal(auth_mech_parse(SPAN_LIT("PLAINX")), MECH_NONE);
	assert_int_equal(auth_mech_parse(SPAN_EMPTY), MECH_NONE);
	assert_string_equal(auth_mech_name(MECH_LOGIN), "LOGIN");
	assert_string_equal(auth_mech_name(MECH_NONE), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_verbs_of_a_client_are_known),
		cmocka_unit_test(malformed_requests_are_rejected),
		cmocka_unit_test(a_line_over_the_maximum_is_rejected),
		cmocka_unit_test(the_line_of_postfix_is_understood),
		cmocka_unit_test(what_is_not_told_is_empty),
		cmocka_unit_test(an_empty_response_is_not_an_absent_one),
		cmocka_unit_test(nothing_behind_resp_is_a_parameter),
		cmocka_unit_test(the_handshake_names_mechanisms_before_spid),
		cmocka_unit_test(answers_are_escaped_but_users_are_not),
		cmocka_unit_test(a_user_that_postfix_would_misread_is_not_sent),
		cmocka_unit_test(answers_are_understood),
		cmocka_unit_test(malformed_answers_are_rejected),
		cmocka_unit_test(what_put_ok_says_is_read_back),
		cmocka_unit_test(a_login_by_plain_is_one_line),
		cmocka_unit_test(a_login_by_apop_carries_the_challenge),
		cmocka_unit_test(a_state_is_asked_with_a_name_alone),
		cmocka_unit_test(a_login_that_cannot_be_said_fails_the_buffer),
		cmocka_unit_test(a_plain_message_has_exactly_three_parts),
		cmocka_unit_test(mechanisms_have_names_in_any_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
