/* tests/unit/test_popstate.c: login, list, deletion and the end, beside a
 * keeper in memory. RETR and TOP are in test_popread.c. */
#include "tests/unit/wire.h"

#include "lib/base64.h"
#include "tests/unit/poprig.h"

static struct poprig rig;

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

static void expect(const char *line, const char *answer)
{
	struct span got = poprig_say(&rig, line);

	if (!span_is(got, answer))
		fail_msg("\"%s\" gave \"%.*s\", not \"%s\"", line, (int)got.n,
			 got.p, answer);
}

static void expect_reply(const char *line, enum reply_id id)
{
	struct buf b = BUF_INIT(512);

	reply_put_pop3(&b, id);
	expect(line, buf_cstr(&b));
	buf_release(&b);
}

static void expect_end(enum chan_end why)
{
	assert_true(rig.pop.ended);
	assert_string_equal(chan_end_text(rig.pop.end), chan_end_text(why));
}

static size_t moved(void)
{
	size_t n = 0;

	for (size_t i = 0; i < rig.mails; i++)
		n += rig.mail[i].moved;
	return n;
}

static void the_greeting_has_a_timestamp_with_apop_only(void **state)
{
	(void)state;
	popstate_greet(&rig.pop, "");
	popstate_greet(&rig.pop, "<1.2@h>");
	assert_text(buf_span(&rig.out),
		    span_of("+OK Mailrow POP3 ready\r\n"
			    "+OK Mailrow POP3 ready <1.2@h>\r\n"));
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

static void user_says_the_same_of_everybody(void **state)
{
	(void)state;
	expect("USER nobody", "+OK\r\n");
	expect_reply("PASS x", R_POP_AUTH);
}

static void a_password_keeps_its_blanks(void **state)
{
	(void)state;
	rig.password = " with  blanks ";
	(void)poprig_say(&rig, "USER bob@example.org");
	expect("PASS  with  blanks ", "+OK 2 messages\r\n");
}

static void pass_needs_a_user_and_after_a_failure_a_new_one(void **state)
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

static void a_database_that_is_down_is_no_wrong_password(void **state)
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

static void an_equals_sign_is_the_empty_response(void **state)
{
	(void)state;
	expect_reply("AUTH PLAIN =", R_POP_SYNTAX);
	expect_reply("AUTH LOGIN =", R_POP_SYNTAX);
	assert_int_equal(rig.auths, 0);
}

static void an_asterisk_cancels_and_user_still_works(void **state)
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

static void a_long_response_goes_by_continuation_only(void **state)
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

static void bare_auth_lists_the_mechanisms(void **state)
{
	(void)state;
	expect("AUTH", "+OK\r\nPLAIN\r\nLOGIN\r\n.\r\n");
	expect_reply("AUTH CRAM-MD5", R_POP_MECH);
	expect_reply("AUTH APOP", R_POP_MECH);
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

/* The list */

static void stat_list_and_uidl_agree(void **state)
{
	(void)state;
	poprig_login(&rig);
	expect("STAT", "+OK 2 29\r\n");
	expect("LIST", "+OK 2 messages\r\n1 15\r\n2 14\r\n.\r\n");
	expect("UIDL", "+OK 2 messages\r\n1 u11\r\n2 u12\r\n.\r\n");
	expect("LIST 2", "+OK 2 14\r\n");
	expect("UIDL 2", "+OK 2 u12\r\n");
}

static void numbers_that_are_none_get_err_and_the_session_lives(void **state)
{
	static const struct {
		const char *line;
		enum reply_id reply;
	} bad[] = {
		{ "LIST 0", R_POP_NOMSG },
		{ "LIST 3", R_POP_NOMSG },
		{ "UIDL 18446744073709551615", R_POP_NOMSG },
		{ "RETR 18446744073709551616", R_POP_SYNTAX },
		{ "DELE -1", R_POP_SYNTAX },
		{ "TOP +1 0", R_POP_SYNTAX },
		{ "TOP 1xyz 0", R_POP_SYNTAX },
	};

	(void)state;
	poprig_login(&rig);
	for (size_t i = 0; i < COUNT(bad); i++)
		expect_reply(bad[i].line, bad[i].reply);
	expect("NOOP", "+OK\r\n");
}

static void deleted_mails_vanish_and_numbers_stay(void **state)
{
	(void)state;
	poprig_login(&rig);
	expect("DELE 1", "+OK\r\n");
	expect("STAT", "+OK 1 14\r\n");
	expect("LIST", "+OK 1 message\r\n2 14\r\n.\r\n");
	expect("UIDL", "+OK 1 message\r\n2 u12\r\n.\r\n");
	expect_reply("DELE 1", R_POP_DELETED);
	expect_reply("RETR 1", R_POP_DELETED);
	expect_reply("TOP 1 0", R_POP_DELETED);
	expect_reply("LIST 1", R_POP_DELETED);
	expect_reply("UIDL 1", R_POP_DELETED);
	expect("RSET", "+OK\r\n");
	expect("STAT", "+OK 2 29\r\n");
	expect("QUIT", "+OK\r\n");
	assert_int_equal(rig.moves, 0);
}

/* The end */

static void quit_moves_what_is_marked(void **state)
{
	(void)state;
	poprig_login(&rig);
	expect("DELE 2", "+OK\r\n");
	expect("QUIT", "+OK\r\n");
	expect_end(CHAN_END_QUIT);
	assert_false(rig.mail[0].moved);
	assert_true(rig.mail[1].moved);
	assert_int_equal(rig.pop.count.dele, 1);
}

static void quit_answers_only_after_the_commit(void **state)
{
	(void)state;
	poprig_login(&rig);
	expect("DELE 2", "+OK\r\n");
	rig.stalled = true;
	expect("QUIT", "");
	assert_false(rig.pop.ended);
	rig.stalled = false;
	poprig_pump(&rig);
	assert_text(buf_span(&rig.said), span_of("+OK\r\n"));
}

static void a_quit_that_failed_says_so(void **state)
{
	(void)state;
	poprig_login(&rig);
	expect("DELE 2", "+OK\r\n");
	rig.down = true;
	expect_reply("QUIT", R_POP_QUIT_FAILED);
	expect_end(CHAN_END_TROUBLE);
	assert_int_equal(moved(), 0);
}

static void a_keeper_lost_in_quit_promises_nothing(void **state)
{
	struct buf want = BUF_INIT(512);

	(void)state;
	poprig_login(&rig);
	expect("DELE 2", "+OK\r\n");
	rig.stalled = true;
	expect("QUIT", "");
	popstate_lost(&rig.pop);
	reply_put_pop3(&want, R_POP_TEMP);
	assert_text(buf_span(&rig.out), buf_span(&want));
	expect_end(CHAN_END_TROUBLE);
	buf_release(&want);
}

static void quit_before_login_touches_nothing(void **state)
{
	(void)state;
	expect("QUIT", "+OK\r\n");
	expect_end(CHAN_END_QUIT);
	assert_int_equal(rig.auths + rig.moves, 0);
}

static void thousands_of_deletions_go_in_several_frames(void **state)
{
	struct chan_list_entry e = { .octets = 1, .uidl = SPAN_LIT("x") };

	(void)state;
	poprig_login(&rig);
	for (e.uid = 100; rig.pop.list.n < 5000; e.uid++)
		assert_true(poplist_add(&rig.pop.list, e.uid, 1, e.uidl));
	for (size_t i = 0; i < rig.pop.list.n; i++)
		poplist_delete(&rig.pop.list, i);
	expect("QUIT", "+OK\r\n");
	assert_true(rig.moves > 1);
	assert_int_equal(moved(), 2);
}

static void without_quit_nothing_is_moved(void **state)
{
	(void)state;
	poprig_login(&rig);
	expect("DELE 1", "+OK\r\n");
	popstate_stop(&rig.pop, CHAN_END_CLOSED);
	poprig_pump(&rig);
	assert_int_equal(rig.moves, 0);
	expect("QUIT", "");
}

static void a_client_that_quits_and_leaves_still_deletes(void **state)
{
	(void)state;
	poprig_login(&rig);
	expect("DELE 1", "+OK\r\n");
	popstate_deaf(&rig.pop);
	(void)poprig_say(&rig, "QUIT");
	assert_int_equal(moved(), 1);
}

static void a_client_that_left_during_retr_deletes_nothing_after_it(void **s)
{
	(void)s;
	poprig_login(&rig);
	popstate_deaf(&rig.pop);
	(void)poprig_say(&rig, "RETR 1");
	(void)poprig_say(&rig, "DELE 1");
	(void)poprig_say(&rig, "QUIT");
	assert_int_equal(moved(), 0);
	expect_end(CHAN_END_CLOSED);
}

/* Bad input */

static void nothing_of_the_client_is_echoed(void **state)
{
	struct span got = poprig_say(&rig, "\x1b]0;evil %n%s:");

	(void)state;
	for (size_t i = 0; i + 4 <= got.n; i++)
		assert_memory_not_equal(got.p + i, "evil", 4);
	expect_reply("", R_POP_UNKNOWN);
	expect_reply(":", R_POP_UNKNOWN);
}

static void too_many_errors_in_a_row_end_the_session(void **state)
{
	(void)state;
	poprig_login(&rig);
	for (int i = 0; i < 9; i++)
		expect_reply("FOO", R_POP_UNKNOWN);
	expect("NOOP", "+OK\r\n");
	for (int i = 0; i < 9; i++)
		expect_reply("FOO", R_POP_UNKNOWN);
	expect_reply("FOO", R_POP_ERRORS);
	expect_end(CHAN_END_ERRORS);
}

static void long_lines_and_nul_end_the_session(void **state)
{
	struct buf want = BUF_INIT(512);

	(void)state;
	reply_put_pop3(&want, R_POP_NUL);
	assert_text(poprig_say_span(&rig, LINE_NUL, SPAN_EMPTY),
		    buf_span(&want));
	expect_end(CHAN_END_ERRORS);
	poprig_release(&rig);
	poprig_init(&rig);
	buf_reset(&want);
	reply_put_pop3(&want, R_POP_LONG);
	assert_text(poprig_say_span(&rig, LINE_LONG, SPAN_EMPTY),
		    buf_span(&want));
	expect_end(CHAN_END_ERRORS);
	buf_release(&want);
}

/* The keeper */

static void feed_frame(enum chan_reply_type t)
{
	struct buf b = BUF_INIT(64);

	chan_put_simple(&b, t);
	popstate_frame(&rig.pop, buf_span(&b));
	buf_release(&b);
}

static void a_keeper_that_talks_nonsense_ends_the_session(void **state)
{
	(void)state;
	rig.stalled = true;
	(void)poprig_say(&rig, "USER bob@example.org");
	(void)poprig_say(&rig, "PASS secret");
	feed_frame(CHAN_LIST_END);
	expect_end(CHAN_END_TROUBLE);
	assert_int_equal(rig.pop.state, ST_AUTH);
}

static void a_malformed_frame_ends_the_session(void **state)
{
	(void)state;
	rig.stalled = true;
	(void)poprig_say(&rig, "USER bob@example.org");
	(void)poprig_say(&rig, "PASS secret");
	popstate_frame(&rig.pop, SPAN_LIT("\xff"));
	expect_end(CHAN_END_TROUBLE);
}

static void a_list_cut_by_trouble_is_no_empty_mailbox(void **state)
{
	(void)state;
	rig.stalled = true;
	(void)poprig_say(&rig, "USER bob@example.org");
	(void)poprig_say(&rig, "PASS secret");
	feed_frame(CHAN_GRANTED);
	feed_frame(CHAN_TEMP);
	expect_end(CHAN_END_TROUBLE);
	assert_int_equal(rig.pop.state, ST_AUTH);
}

static void while_the_client_reads_nothing_output_stays_bounded(void **state)
{
	struct chan_list_entry e = { .octets = 1,
				     .uidl = SPAN_LIT("abcdefgh") };

	(void)state;
	poprig_login(&rig);
	for (e.uid = 100; rig.pop.list.n < 100000; e.uid++)
		assert_true(poplist_add(&rig.pop.list, e.uid, 1, e.uidl));
	rig.hold_out = true;
	(void)poprig_say(&rig, "UIDL");
	assert_false(popstate_wants_line(&rig.pop));
	assert_true(rig.out.n < POPSTATE_OUT_FULL + 100);
	rig.hold_out = false;
	poprig_pump(&rig);
	assert_true(popstate_wants_line(&rig.pop));
	assert_int_equal(rig.most_out < POPSTATE_OUT_FULL + 100, 1);
	assert_true(rig.said.n > 100000 * 10);
}

static void bye_carries_the_counts(void **state)
{
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);
	struct chan_request r;

	(void)state;
	poprig_login(&rig);
	(void)poprig_say(&rig, "RETR 1");
	(void)poprig_say(&rig, "TOP 2 0");
	(void)poprig_say(&rig, "DELE 1");
	(void)poprig_say(&rig, "QUIT");
	popstate_put_bye(&rig.pop, 7, 8, &b);
	assert_true(chan_parse_request(buf_span(&b), &r));
	assert_int_equal(r.type, CHAN_BYE);
	assert_int_equal(r.u.bye.end, CHAN_END_QUIT);
	assert_int_equal(r.u.bye.retr, 1);
	assert_int_equal(r.u.bye.retr_octets, 15);
	assert_int_equal(r.u.bye.top, 1);
	assert_int_equal(r.u.bye.top_octets, 8);
	assert_int_equal(r.u.bye.dele, 1);
	assert_int_equal(r.u.bye.size_octets, 29);
	assert_int_equal(r.u.bye.in_octets, 7);
	assert_int_equal(r.u.bye.out_octets, 8);
	buf_release(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_greeting_has_a_timestamp_with_apop_only),
		TEST(user_and_pass_open_the_mailbox),
		TEST(one_message_is_not_messages),
		TEST(user_says_the_same_of_everybody),
		TEST(a_password_keeps_its_blanks),
		TEST(pass_needs_a_user_and_after_a_failure_a_new_one),
		TEST(the_third_failure_is_the_last),
		TEST(a_database_that_is_down_is_no_wrong_password),
		TEST(a_password_of_1024_octets_is_taken_and_not_one_more),
		TEST(auth_plain_takes_an_initial_response),
		TEST(auth_plain_asks_for_its_response),
		TEST(auth_login_asks_for_name_and_password),
		TEST(auth_login_takes_the_name_at_once),
		TEST(an_equals_sign_is_the_empty_response),
		TEST(an_asterisk_cancels_and_user_still_works),
		TEST(bad_base64_ends_the_exchange),
		TEST(a_nul_in_a_name_or_password_is_malformed),
		TEST(a_long_response_goes_by_continuation_only),
		TEST(an_endless_continuation_is_too_long),
		TEST(bare_auth_lists_the_mechanisms),
		TEST(apop_is_refused_when_it_is_off),
		TEST(apop_hands_on_the_digest),
		TEST(stat_list_and_uidl_agree),
		TEST(numbers_that_are_none_get_err_and_the_session_lives),
		TEST(deleted_mails_vanish_and_numbers_stay),
		TEST(quit_moves_what_is_marked),
		TEST(quit_answers_only_after_the_commit),
		TEST(a_quit_that_failed_says_so),
		TEST(a_keeper_lost_in_quit_promises_nothing),
		TEST(quit_before_login_touches_nothing),
		TEST(thousands_of_deletions_go_in_several_frames),
		TEST(without_quit_nothing_is_moved),
		TEST(a_client_that_quits_and_leaves_still_deletes),
		TEST(a_client_that_left_during_retr_deletes_nothing_after_it),
		TEST(nothing_of_the_client_is_echoed),
		TEST(too_many_errors_in_a_row_end_the_session),
		TEST(long_lines_and_nul_end_the_session),
		TEST(a_keeper_that_talks_nonsense_ends_the_session),
		TEST(a_malformed_frame_ends_the_session),
		TEST(a_list_cut_by_trouble_is_no_empty_mailbox),
		TEST(while_the_client_reads_nothing_output_stays_bounded),
		TEST(bye_carries_the_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
