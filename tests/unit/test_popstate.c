/* tests/unit/test_popstate.c: list, deletion and the end, beside a keeper in
 * memory. */
#include "tests/unit/poptest.h"

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

static size_t moved(void)
{
	size_t n = 0;

	for (size_t i = 0; i < rig.mails; i++)
		n += rig.mail[i].moved;
	return n;
}

static void rule_55_the_greeting_has_a_timestamp_with_apop_only(void **state)
{
	(void)state;
	popstate_greet(&rig.pop);
	rig.pop.rules.cram_md5 = true;
	popstate_greet(&rig.pop);
	rig.pop.rules.apop = true;
	popstate_greet(&rig.pop);
	assert_text(buf_span(&rig.out),
		    span_of("+OK Mailrow POP3 ready\r\n"
			    "+OK Mailrow POP3 ready\r\n"
			    "+OK Mailrow POP3 ready <1.2@h>\r\n"));
}

/* The list */

static void rule_02_stat_list_and_uidl_agree(void **state)
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

static void rule_26_deleted_mails_vanish_and_numbers_stay(void **state)
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

static void rule_33_quit_answers_only_after_the_commit(void **state)
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

static void rule_37_who_has_the_mailbox_alone_gives_it_back_first(void **state)
{
	(void)state;
	rig.grant.exclusive = true;
	poprig_login(&rig);
	rig.stalled = true;
	expect("QUIT", "");
	assert_false(rig.pop.ended);
	rig.stalled = false;
	poprig_pump(&rig);
	assert_text(buf_span(&rig.said), span_of("+OK\r\n"));
	expect_end(CHAN_END_QUIT);
	assert_int_equal(rig.moves, 1);
	assert_int_equal(moved(), 0);
}

static void nothing_marked_is_nothing_to_confirm(void **state)
{
	(void)state;
	rig.grant.exclusive = true;
	poprig_login(&rig);
	rig.down = true;
	expect("QUIT", "+OK\r\n");
	expect_end(CHAN_END_QUIT);
}

static void rule_33_a_quit_that_failed_says_so(void **state)
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

static void rule_33_quit_before_login_touches_nothing(void **state)
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

static void rule_32_without_quit_nothing_is_moved(void **state)
{
	(void)state;
	poprig_login(&rig);
	expect("DELE 1", "+OK\r\n");
	popstate_stop(&rig.pop, CHAN_END_CLOSED);
	poprig_pump(&rig);
	assert_int_equal(rig.moves, 0);
	expect("QUIT", "");
}

static void rule_34_a_client_that_quits_and_leaves_still_deletes(void **state)
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

static void quit_waits_until_the_mails_have_left(void **state)
{
	(void)state;
	poprig_login(&rig);
	rig.hold_out = true;
	(void)poprig_say(&rig, "RETR 1");
	(void)poprig_say(&rig, "DELE 1");
	(void)poprig_say(&rig, "QUIT");
	assert_int_equal(moved(), 0);
	rig.hold_out = false;
	poprig_pump(&rig);
	assert_int_equal(moved(), 1);
	expect_end(CHAN_END_QUIT);
}

static void a_client_that_left_before_its_mail_did_deletes_nothing(void **s)
{
	(void)s;
	poprig_login(&rig);
	rig.hold_out = true;
	(void)poprig_say(&rig, "RETR 1");
	popstate_deaf(&rig.pop);
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

static void rule_39_too_many_errors_in_a_row_end_the_session(void **state)
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

static void feed_granted(void)
{
	const struct chan_grant none = { 0 };
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);

	chan_put_granted(&b, &none);
	popstate_frame(&rig.pop, buf_span(&b));
	buf_release(&b);
}

static void a_list_cut_by_trouble_is_no_empty_mailbox(void **state)
{
	(void)state;
	rig.stalled = true;
	(void)poprig_say(&rig, "USER bob@example.org");
	(void)poprig_say(&rig, "PASS secret");
	feed_granted();
	feed_frame(CHAN_TEMP);
	expect_end(CHAN_END_TROUBLE);
	assert_int_equal(rig.pop.state, ST_AUTH);
}

static void rule_41_while_the_client_reads_nothing_output_stays_bounded(
	void **state)
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

static void tell_to_stop_for(enum chan_end why)
{
	struct buf b = BUF_INIT(16);

	chan_put_stop(&b, why);
	popstate_frame(&rig.pop, buf_span(&b));
	buf_release(&b);
	poprig_pump(&rig);
}

static void tell_to_stop(void)
{
	tell_to_stop_for(CHAN_END_KICKED);
}

static void told_to_stop_it_says(enum chan_end why, enum reply_id reply)
{
	struct buf b = BUF_INIT(512);

	poprig_login(&rig);
	(void)poprig_say(&rig, "DELE 1");
	buf_reset(&rig.said);
	tell_to_stop_for(why);
	reply_put_pop3(&b, reply);
	assert_text(buf_span(&rig.said), buf_span(&b));
	expect_end(why);
	assert_int_equal(moved(), 0);
	buf_release(&b);
}

static void rule_37_who_lost_the_mailbox_is_told(void **state)
{
	(void)state;
	told_to_stop_it_says(CHAN_END_TAKEN, R_POP_TAKEN);
}

static void who_is_disabled_meanwhile_is_told(void **state)
{
	(void)state;
	told_to_stop_it_says(CHAN_END_DISABLED, R_POP_CLOSED);
}

static void told_to_stop_it_ends_between_two_commands(void **state)
{
	struct buf b = BUF_INIT(512);

	(void)state;
	poprig_login(&rig);
	(void)poprig_say(&rig, "DELE 1");
	buf_reset(&rig.said);
	assert_true(popstate_hears_frame(&rig.pop));
	tell_to_stop();
	reply_put_pop3(&b, R_POP_KICKED);
	assert_text(buf_span(&rig.said), buf_span(&b));
	expect_end(CHAN_END_KICKED);
	assert_int_equal(moved(), 0);
	buf_release(&b);
}

static void told_to_stop_it_finishes_a_mail(void **state)
{
	struct buf b = BUF_INIT(512);

	(void)state;
	poprig_login(&rig);
	rig.stalled = true;
	(void)poprig_say(&rig, "RETR 1");
	tell_to_stop();
	assert_false(rig.pop.ended);
	rig.stalled = false;
	poprig_pump(&rig);
	buf_puts(&b, "+OK 15 octets\r\nA: b\r\n\r\nhello\r\n.\r\n");
	reply_put_pop3(&b, R_POP_KICKED);
	assert_text(buf_span(&rig.said), buf_span(&b));
	expect_end(CHAN_END_KICKED);
	buf_release(&b);
}

static void told_to_stop_a_quit_is_carried_out(void **state)
{
	(void)state;
	poprig_login(&rig);
	(void)poprig_say(&rig, "DELE 1");
	rig.stalled = true;
	(void)poprig_say(&rig, "QUIT");
	tell_to_stop();
	assert_false(rig.pop.ended);
	rig.stalled = false;
	poprig_pump(&rig);
	assert_text(buf_span(&rig.said), SPAN_LIT("+OK\r\n"));
	expect_end(CHAN_END_QUIT);
	assert_int_equal(moved(), 1);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rule_55_the_greeting_has_a_timestamp_with_apop_only),
		TEST(rule_02_stat_list_and_uidl_agree),
		TEST(numbers_that_are_none_get_err_and_the_session_lives),
		TEST(rule_26_deleted_mails_vanish_and_numbers_stay),
		TEST(quit_moves_what_is_marked),
		TEST(rule_33_quit_answers_only_after_the_commit),
		TEST(rule_37_who_has_the_mailbox_alone_gives_it_back_first),
		TEST(nothing_marked_is_nothing_to_confirm),
		TEST(rule_33_a_quit_that_failed_says_so),
		TEST(a_keeper_lost_in_quit_promises_nothing),
		TEST(rule_33_quit_before_login_touches_nothing),
		TEST(thousands_of_deletions_go_in_several_frames),
		TEST(rule_32_without_quit_nothing_is_moved),
		TEST(rule_34_a_client_that_quits_and_leaves_still_deletes),
		TEST(a_client_that_left_during_retr_deletes_nothing_after_it),
		TEST(quit_waits_until_the_mails_have_left),
		TEST(a_client_that_left_before_its_mail_did_deletes_nothing),
		TEST(nothing_of_the_client_is_echoed),
		TEST(rule_39_too_many_errors_in_a_row_end_the_session),
		TEST(long_lines_and_nul_end_the_session),
		TEST(a_keeper_that_talks_nonsense_ends_the_session),
		TEST(a_malformed_frame_ends_the_session),
		TEST(a_list_cut_by_trouble_is_no_empty_mailbox),
		TEST(rule_41_while_the_client_reads_nothing_output_stays_bounded),
		TEST(rule_37_who_lost_the_mailbox_is_told),
		TEST(who_is_disabled_meanwhile_is_told),
		TEST(told_to_stop_it_ends_between_two_commands),
		TEST(told_to_stop_it_finishes_a_mail),
		TEST(told_to_stop_a_quit_is_carried_out),
		TEST(bye_carries_the_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
