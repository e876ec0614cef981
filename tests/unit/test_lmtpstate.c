/* tests/unit/test_lmtpstate.c */
#include "tests/unit/wire.h"

#include "lmtpd/lmtpstate.h"

static void arguments_of_mail(void **state)
{
	static const struct {
		const char *arg;
		enum reply_id why;
		const char *path;
		uint64_t size;
		bool utf8;
	} rows[] = {
		{ "FROM:<a@b.test>", R_NONE, "<a@b.test>", 0, false },
		{ "from:<>", R_NONE, "<>", 0, false },
		{ "FROM: <a@b.test>", R_NONE, "<a@b.test>", 0, false },
		{ "FROM:<\"a> b\"@b.test> SIZE=1", R_NONE, "<\"a> b\"@b.test>",
		  1, false },
		{ "FROM:<\"a\\\">\"@b.test>", R_NONE, "<\"a\\\">\"@b.test>", 0,
		  false },
		{ "FROM:<a\\>b@b.test>", R_NONE, "<a\\>b@b.test>", 0, false },
		{ "FROM:<a@b> SIZE=100  body=8bitmime smtputf8", R_NONE,
		  "<a@b>", 100, true },
		{ "FROM:<a@b> RET=HDRS ENVID=x BODY=7BIT", R_NONE, "<a@b>", 0,
		  false },
		{ "FROM:<a@b> SIZE=18446744073709551616", R_LMTP_SYNTAX,
		  "<a@b>", 0, false },
		{ "FROM:<a@b> SIZE=", R_LMTP_SYNTAX, "<a@b>", 0, false },
		{ "FROM:<a@b> SIZE", R_LMTP_SYNTAX, "<a@b>", 0, false },
		{ "FROM:<a@b> SIZE=-1", R_LMTP_SYNTAX, "<a@b>", 0, false },
		{ "FROM:<a@b> SMTPUTF8=1", R_LMTP_SYNTAX, "<a@b>", 0, true },
		{ "FROM:<a@b> BODY=BINARYMIME", R_LMTP_PARAM, "<a@b>", 0,
		  false },
		{ "FROM:<a@b> AUTH=<>", R_LMTP_PARAM, "<a@b>", 0, false },
		{ "FROM:<a@b> X", R_LMTP_PARAM, "<a@b>", 0, false },
		{ "FROM:<a@b>SIZE=1", R_LMTP_SYNTAX, "<a@b>", 0, false },
		{ "FROM:<a@b", R_LMTP_SYNTAX, "", 0, false },
		{ "FROM:a@b", R_LMTP_SYNTAX, "", 0, false },
		{ "FROM:<a\r@b>", R_LMTP_SYNTAX, "", 0, false },
		{ "FROM:<a\\\n@b>", R_LMTP_SYNTAX, "<a\\\n@b>", 0, false },
		{ "FROM:<\"a@b>", R_LMTP_SYNTAX, "", 0, false },
		{ "FROM:<a@b\\", R_LMTP_SYNTAX, "", 0, false },
		{ "TO:<a@b>", R_LMTP_SYNTAX, "", 0, false },
		{ "", R_LMTP_SYNTAX, "", 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct lmtp_mail m;
		enum reply_id why = lmtp_parse_mail(span_of(rows[i].arg), &m);

		if (why != rows[i].why)
			fail_msg("\"%s\": %s", rows[i].arg,
				 reply_get(why)->name);
		assert_text(m.path, span_of(rows[i].path));
		if (why == R_NONE)
			assert_int_equal(m.size, rows[i].size);
		assert_int_equal(m.utf8, rows[i].utf8);
	}
}

static void arguments_of_rcpt(void **state)
{
	static const struct {
		const char *arg;
		enum reply_id why;
		const char *path;
	} rows[] = {
		{ "TO:<a@b.test>", R_NONE, "<a@b.test>" },
		{ "to:<a@b> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a@b", R_NONE,
		  "<a@b>" },
		{ "TO:<>", R_RCPT_SYNTAX, "<>" },
		{ "TO:<a@b> SIZE=1", R_LMTP_PARAM, "<a@b>" },
		{ "TO:<a@b> NOTIFY=", R_LMTP_SYNTAX, "<a@b>" },
		{ "TO:a@b", R_LMTP_SYNTAX, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span path;
		enum reply_id why =
			lmtp_parse_rcpt(span_of(rows[i].arg), &path);

		if (why != rows[i].why)
			fail_msg("\"%s\": %s", rows[i].arg,
				 reply_get(why)->name);
		assert_text(path, span_of(rows[i].path));
	}
}

/* One line: what comes of it, and what its owner makes of the event. */
struct step {
	const char *line;
	enum lmtp_kind kind;
	enum reply_id reply;
	enum reply_id came; /* R_NONE: the reply of the event */
};

static void play(const struct step *step, size_t n)
{
	struct lmtpstate s;

	lmtpstate_init(&s, 1000);
	for (size_t i = 0; i < n; i++) {
		struct lmtp_event e = lmtpstate_line(&s, LINE_OK, false,
						     span_of(step[i].line));

		if (e.kind != step[i].kind || e.reply != step[i].reply)
			fail_msg("%zu \"%s\": kind %d, %s", i, step[i].line,
				 (int)e.kind, reply_get(e.reply)->name);
		lmtpstate_done(&s, &e,
			       step[i].came == R_NONE ? e.reply : step[i].came);
	}
}

static void a_session_from_lhlo_to_quit(void **state)
{
	static const struct step steps[] = {
		{ "NOOP x", LMTP_SAY, R_LMTP_OK, R_NONE },
		{ "MAIL FROM:<>", LMTP_SAY, R_LMTP_ORDER, R_NONE },
		{ "RSET", LMTP_RESET, R_LMTP_OK, R_NONE },
		{ "MAIL FROM:<>", LMTP_SAY, R_LMTP_ORDER, R_NONE },
		{ "LHLO mx.test", LMTP_HELLO, R_LMTP_OK, R_NONE },
		{ "RCPT TO:<a@b>", LMTP_SAY, R_LMTP_ORDER, R_NONE },
		{ "DATA", LMTP_SAY, R_LMTP_ORDER, R_NONE },
		{ "MAIL FROM:<>", LMTP_MAIL, R_LMTP_SENDER_OK, R_NO_MEMORY },
		{ "RCPT TO:<a@b>", LMTP_SAY, R_LMTP_ORDER, R_NONE },
		{ "MAIL FROM:<>", LMTP_MAIL, R_LMTP_SENDER_OK, R_NONE },
		{ "MAIL FROM:<>", LMTP_SAY, R_LMTP_ORDER, R_NONE },
		{ "DATA", LMTP_SAY, R_LMTP_NO_RCPT, R_NONE },
		{ "RCPT TO:<a@b>", LMTP_RCPT, R_LMTP_RCPT_OK, R_RCPT_UNKNOWN },
		{ "DATA", LMTP_SAY, R_LMTP_NO_RCPT, R_NONE },
		{ "rcpt to:<a@b>", LMTP_RCPT, R_LMTP_RCPT_OK, R_NONE },
		{ "RCPT TO:<c@b>", LMTP_RCPT, R_LMTP_RCPT_OK, R_STORE_DOWN },
		{ "DATA", LMTP_DATA, R_LMTP_GO_ON, R_DELIVER_TEMP },
		{ "DATA", LMTP_SAY, R_LMTP_ORDER, R_NONE },
		{ "MAIL FROM:<a@b>", LMTP_MAIL, R_LMTP_SENDER_OK, R_NONE },
		{ "RCPT TO:<a@b>", LMTP_RCPT, R_LMTP_RCPT_OK, R_NONE },
		{ "RSET", LMTP_RESET, R_LMTP_OK, R_NONE },
		{ "DATA", LMTP_SAY, R_LMTP_ORDER, R_NONE },
		{ "MAIL FROM:<a@b>", LMTP_MAIL, R_LMTP_SENDER_OK, R_NONE },
		{ "LHLO again", LMTP_HELLO, R_LMTP_OK, R_NONE },
		{ "RCPT TO:<a@b>", LMTP_SAY, R_LMTP_ORDER, R_NONE },
		{ "VRFY a", LMTP_SAY, R_LMTP_VRFY, R_NONE },
		{ "HELP", LMTP_SAY, R_LMTP_HELP, R_NONE },
		{ "QUIT", LMTP_QUIT, R_LMTP_BYE, R_NONE },
	};

	(void)state;
	play(steps, COUNT(steps));
}

static void lines_that_are_no_command_of_ours(void **state)
{
	static const struct step steps[] = {
		{ "EHLO mx.test", LMTP_SAY, R_LMTP_EHLO, R_NONE },
		{ "HELO mx.test", LMTP_SAY, R_LMTP_EHLO, R_NONE },
		{ "LHLO", LMTP_SAY, R_LMTP_SYNTAX, R_NONE },
		{ "LHLO a b", LMTP_SAY, R_LMTP_SYNTAX, R_NONE },
		{ "", LMTP_SAY, R_LMTP_UNKNOWN, R_NONE },
		{ " LHLO a", LMTP_SAY, R_LMTP_UNKNOWN, R_NONE },
		{ "LHLOX a", LMTP_SAY, R_LMTP_UNKNOWN, R_NONE },
		{ "BDAT 5 LAST", LMTP_SAY, R_LMTP_UNKNOWN, R_NONE },
		{ "STARTTLS", LMTP_SAY, R_LMTP_UNKNOWN, R_NONE },
		{ "LHLO a ", LMTP_HELLO, R_LMTP_OK, R_NONE },
		{ "MAIL FROM:<> SIZE=1001", LMTP_SAY, R_LMTP_SIZE, R_NONE },
		{ "MAIL FROM:<> SIZE=1000", LMTP_MAIL, R_LMTP_SENDER_OK,
		  R_NONE },
		{ "RCPT TO:<a@b>", LMTP_RCPT, R_LMTP_RCPT_OK, R_NONE },
		{ "DATA now", LMTP_SAY, R_LMTP_SYNTAX, R_NONE },
		{ "RSET now", LMTP_SAY, R_LMTP_SYNTAX, R_NONE },
		{ "QUIT now", LMTP_SAY, R_LMTP_SYNTAX, R_NONE },
		{ "DATA ", LMTP_DATA, R_LMTP_GO_ON, R_NONE },
	};

	(void)state;
	play(steps, COUNT(steps));
}

static void broken_lines_are_told_by_their_fault(void **state)
{
	struct span line = SPAN_LIT("NOOP");
	struct lmtpstate s;
	char *x = malloc(LMTP_LINE_MAX + 1);

	(void)state;
	assert_non_null(x);
	memset(x, 'x', LMTP_LINE_MAX + 1);
	lmtpstate_init(&s, 1000);
	assert_int_equal(lmtpstate_line(&s, LINE_LONG, false, line).reply,
			 R_LMTP_LONG);
	assert_int_equal(lmtpstate_line(&s, LINE_OK, false,
					span_make(x, LMTP_LINE_MAX + 1))
				 .reply,
			 R_LMTP_LONG);
	assert_int_equal(lmtpstate_line(&s, LINE_NUL, false, line).reply,
			 R_LMTP_NUL);
	assert_int_equal(lmtpstate_line(&s, LINE_OK, true, line).reply,
			 R_LMTP_BARE_LF);
	assert_int_equal(s.errors, 4);
	free(x);
}

static void too_many_errors_end_the_session(void **state)
{
	struct lmtpstate s;
	struct lmtp_event e;

	(void)state;
	lmtpstate_init(&s, 1000);
	for (int i = 0; i < LMTP_ERRORS_MAX - 1; i++) {
		e = lmtpstate_line(&s, LINE_OK, false, SPAN_LIT("what"));
		assert_int_equal(e.kind, LMTP_SAY);
		lmtpstate_done(&s, &e, e.reply);
	}
	e = lmtpstate_line(&s, LINE_OK, false, SPAN_LIT("what"));
	assert_int_equal(e.kind, LMTP_QUIT);
	assert_int_equal(e.reply, R_LMTP_ERRORS);
}

static void a_reply_is_one_clean_line(void **state)
{
	struct buf b = BUF_INIT(4096);

	(void)state;
	lmtp_put_reply(&b, R_LMTP_OK, SPAN_EMPTY);
	lmtp_put_reply(&b, R_RCPT_UNKNOWN, SPAN_LIT("a\r\n250 \x80@b"));
	lmtp_put_reply(&b, R_LMTP_GO_ON, SPAN_EMPTY);
	lmtp_put_banner(&b, "mx.test");
	assert_buf(&b, "250 2.0.0 Ok\r\n"
		       "550 5.1.1 <a??250 ?@b>: Recipient address rejected: "
		       "User unknown\r\n"
		       "354 End data with <CR><LF>.<CR><LF>\r\n"
		       "220 mx.test LMTP Mailrow\r\n");
	buf_reset(&b);
	lmtp_put_hello(&b, "mx.test", 1000);
	assert_buf(&b, "250-mx.test\r\n250-PIPELINING\r\n"
		       "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n"
		       "250-SMTPUTF8\r\n250 SIZE 1000\r\n");
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_of_mail),
		cmocka_unit_test(arguments_of_rcpt),
		cmocka_unit_test(a_session_from_lhlo_to_quit),
		cmocka_unit_test(lines_that_are_no_command_of_ours),
		cmocka_unit_test(broken_lines_are_told_by_their_fault),
		cmocka_unit_test(too_many_errors_end_the_session),
		cmocka_unit_test(a_reply_is_one_clean_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
