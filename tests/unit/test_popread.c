/* tests/unit/test_popread.c: RETR and TOP beside a keeper in memory. */
#include "tests/unit/poptest.h"

#include <stdlib.h>

enum { BIG = 3000000 };

static char *big;

static int set_up(void **state)
{
	(void)state;
	poprig_init(&rig);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	poprig_release(&rig);
	free(big);
	big = NULL;
	return 0;
}

/* A mail of n octets: a header, then lines of 64 octets, some with a dot. */
static struct span make_mail(size_t n)
{
	static const char head[] = "Subject: big\r\n\r\n";

	free(big);
	big = malloc(n);
	assert_non_null(big);
	for (size_t i = 0; i < n; i++)
		big[i] = i % 64 == 62   ? '\r'
			 : i % 64 == 63 ? '\n'
			 : i % 192 == 0 ? '.'
					: 'x';
	memcpy(big, head, sizeof(head) - 1);
	memcpy(big + n - 2, "\r\n", 2);
	return span_make(big, n);
}

/* What a client makes of a multi-line answer: without status line, stuffing
 * and end. False: it is not whole. */
static bool unstuff(struct span s, struct buf *b)
{
	struct span line;

	if (!span_starts_nocase(s, SPAN_LIT("+OK")) ||
	    !span_cut(s, '\n', &line, &s))
		return false;
	while (span_cut(s, '\n', &line, &s)) {
		if (span_is(line, ".\r"))
			return s.n == 0;
		buf_put_span(b, line.p[0] == '.' ? span_skip(line, 1) : line);
		buf_putc(b, '\n');
	}
	return false;
}

static void expect_mail(const char *line, struct span text)
{
	struct buf got = BUF_INIT(SIZE_MAX);

	assert_true(unstuff(poprig_say(&rig, line), &got));
	assert_int_equal(got.n, text.n);
	assert_memory_equal(got.p, text.p, text.n);
	buf_release(&got);
}

static void a_small_mail_comes_stuffed(void **state)
{
	(void)state;
	poprig_add(&rig, 5, SPAN_LIT(".A: b\r\n\r\n.\r\n..x\r\n"));
	poprig_login(&rig);
	expect("RETR 1", "+OK 17 octets\r\n..A: b\r\n\r\n..\r\n...x\r\n.\r\n");
}

static void rule_11_an_empty_mail_is_served(void **state)
{
	(void)state;
	poprig_add(&rig, 5, SPAN_EMPTY);
	poprig_login(&rig);
	expect("RETR 1", "+OK 0 octets\r\n.\r\n");
	expect("TOP 1 0", "+OK\r\n.\r\n");
	expect("NOOP", "+OK\r\n");
}

static void rule_08_nul_octets_pass(void **state)
{
	(void)state;
	poprig_add(&rig, 5, SPAN_LIT("A: b\r\n\r\na\0b\r\n"));
	poprig_login(&rig);
	assert_text(poprig_say(&rig, "RETR 1"),
		    SPAN_LIT("+OK 13 octets\r\nA: b\r\n\r\na\0b\r\n.\r\n"));
}

/* The count of octets stays what LIST said. */
static void rule_08_nul_becomes_0x80_for_outlook(void **state)
{
	(void)state;
	for (size_t frame = 0; frame < 14; frame++) {
		poprig_release(&rig);
		poprig_init(&rig);
		rig.frame_max = frame;
		rig.pop.rules.replace_nul = true;
		poprig_add(&rig, 5, SPAN_LIT("A: \0\r\n\r\n\0a\0\0\r\n"));
		poprig_login(&rig);
		expect("LIST 1", "+OK 1 14\r\n");
		expect("RETR 1", "+OK 14 octets\r\n"
				 "A: \x80\r\n\r\n\x80"
				 "a\x80\x80\r\n.\r\n");
		expect("TOP 1 0", "+OK\r\nA: \x80\r\n\r\n.\r\n");
	}
}

static const struct {
	const char *line, *answer;
} tops[] = {
	{ "TOP 1", "+OK\r\nA: b\r\n\r\n.\r\n" },
	{ "TOP 1 0", "+OK\r\nA: b\r\n\r\n.\r\n" },
	{ "TOP 1 1", "+OK\r\nA: b\r\n\r\none\r\n.\r\n" },
	{ "TOP 1 2", "+OK\r\nA: b\r\n\r\none\r\n..two\r\n.\r\n" },
	{ "TOP 1 99999999", "+OK\r\nA: b\r\n\r\none\r\n..two\r\n.\r\n" },
	{ "TOP 1 18446744073709551615",
	  "+OK\r\nA: b\r\n\r\none\r\n..two\r\n.\r\n" },
};

static void rule_15_top_counts_lines_of_the_body(void **state)
{
	(void)state;
	for (size_t frame = 0; frame < 20; frame++) {
		poprig_release(&rig);
		poprig_init(&rig);
		rig.frame_max = frame;
		poprig_add(&rig, 5, SPAN_LIT("A: b\r\n\r\none\r\n.two\r\n"));
		poprig_login(&rig);
		for (size_t i = 0; i < COUNT(tops); i++)
			expect(tops[i].line, tops[i].answer);
		expect_reply("TOP 1 x", R_POP_SYNTAX);
	}
}

static void rule_10_a_header_without_end_is_answered_whole(void **state)
{
	(void)state;
	poprig_add(&rig, 5, SPAN_LIT("A: b\r\nC: d\r\n"));
	poprig_login(&rig);
	expect("TOP 1 0", "+OK\r\nA: b\r\nC: d\r\n.\r\n");
}

/* The keeper has counted the line that is missing (RFC 5322 s.2.1). */
static void rule_10_a_missing_empty_line_is_added_and_counted(void **state)
{
	(void)state;
	for (size_t frame = 0; frame < 14; frame++) {
		poprig_release(&rig);
		poprig_init(&rig);
		rig.frame_max = frame;
		poprig_add(&rig, 5, SPAN_LIT("A: b\r\nC: d\r\n"));
		poprig_add(&rig, 6, SPAN_LIT("A: b\r\n\r\n"));
		rig.mail[0].blank_line = true;
		poprig_login(&rig);
		expect("LIST", "+OK 2 messages\r\n1 14\r\n2 8\r\n.\r\n");
		expect("RETR 1", "+OK 14 octets\r\nA: b\r\nC: d\r\n\r\n.\r\n");
		expect("TOP 1 0", "+OK\r\nA: b\r\nC: d\r\n\r\n.\r\n");
		expect("TOP 1 9", "+OK\r\nA: b\r\nC: d\r\n\r\n.\r\n");
		expect("RETR 2", "+OK 8 octets\r\nA: b\r\n\r\n.\r\n");
		expect("STAT", "+OK 2 22\r\n");
	}
}

static void rule_12_a_big_mail_streams_in_bounded_memory(void **state)
{
	struct span text = make_mail(BIG);

	(void)state;
	poprig_add(&rig, 5, text);
	poprig_login(&rig);
	expect_mail("RETR 1", text);
	assert_int_equal(rig.reads, 1);
	assert_true(rig.most_out < 3 * POPSTATE_OUT_FULL);
	assert_int_equal(rig.pop.read.cache.size, 0);
}

static void a_client_that_reads_nothing_holds_the_stream(void **state)
{
	struct span text = make_mail(BIG);

	(void)state;
	poprig_add(&rig, 5, text);
	poprig_login(&rig);
	rig.hold_out = true;
	(void)poprig_say(&rig, "RETR 1");
	assert_true(rig.out.n >= POPSTATE_OUT_FULL);
	assert_true(rig.out.n < 3 * POPSTATE_OUT_FULL);
	assert_false(popstate_wants_frame(&rig.pop));
	assert_true(rig.queue.n > 0);
}

static void rule_12_the_first_octets_leave_before_the_last_frame_comes(
	void **state)
{
	struct span text = make_mail(BIG);

	(void)state;
	poprig_add(&rig, 5, text);
	poprig_login(&rig);
	(void)poprig_say(&rig, "NOOP");
	rig.hold_out = true;
	(void)poprig_say(&rig, "RETR 1");
	assert_false(popstate_holds(&rig.pop));
}

/* The last dot must not be alone in a packet: until it is there, less than a
 * full output is held back. */
static void rule_13_the_beginning_of_an_answer_is_held_until_its_end(
	void **state)
{
	struct span text = make_mail(40000);

	(void)state;
	poprig_add(&rig, 5, text);
	poprig_login(&rig);
	rig.frame_max = 10000;
	rig.stalled = true;
	(void)poprig_say(&rig, "RETR 1");
	rig.stalled = false;
	rig.hold_out = true;
	for (int i = 0; i < 4; i++) {
		assert_true(poprig_deliver_one(&rig));
		assert_true(popstate_holds(&rig.pop));
	}
	assert_true(poprig_deliver_one(&rig));
	assert_false(popstate_holds(&rig.pop));
	assert_memory_equal(rig.out.p + rig.out.n - 5, "\r\n.\r\n", 5);
}

static void a_long_header_takes_more_reads_and_comes_whole(void **state)
{
	struct span text = make_mail(200000);

	(void)state;
	memset(big + 10, 'h', 150000);
	memcpy(big + 150010, "\r\n\r\n", 4);
	poprig_add(&rig, 5, text);
	poprig_add(&rig, 6, SPAN_LIT("A: b\r\n\r\n"));
	poprig_login(&rig);
	expect_mail("TOP 1 0", span_head(text, 150014));
	assert_true(rig.reads > 1);
	expect("TOP 2 0", "+OK\r\nA: b\r\n\r\n.\r\n");
}

static void a_top_of_a_big_mail_reads_only_its_beginning(void **state)
{
	struct span text = make_mail(BIG);

	(void)state;
	poprig_add(&rig, 5, text);
	poprig_login(&rig);
	expect_mail("TOP 1 0", span_head(text, 16));
	expect_mail("TOP 1 3", span_head(text, 192));
	assert_int_equal(rig.reads, 2);
	expect_mail("TOP 1 99999999", text);
}

/* Read-ahead */

static void add_small(size_t n)
{
	for (size_t i = 0; i < n; i++)
		poprig_add(&rig, 100 + i, SPAN_LIT("A: b\r\n\r\nsmall\r\n"));
}

#define SMALL "+OK 15 octets\r\nA: b\r\n\r\nsmall\r\n.\r\n"

static const char *numbered(const char *verb, size_t i)
{
	static char line[64];

	(void)snprintf(line, sizeof(line), "%s %zu", verb, i);
	return line;
}

static void small_mails_in_turn_are_read_ahead(void **state)
{
	(void)state;
	add_small(200);
	poprig_login(&rig);
	for (size_t i = 1; i <= 200; i++) {
		expect(numbered("RETR", i), SMALL);
		expect(numbered("DELE", i), "+OK\r\n");
	}
	assert_true(rig.reads < 10);
	assert_int_equal(rig.most_read, CHAN_READ_MAX);
	assert_int_equal(rig.pop.count.retr, 200);
	assert_int_equal(rig.pop.count.retr_octets, 200 * 15);
	assert_int_equal(rig.pop.read.cache.size, 0);
}

static void headers_in_turn_are_read_ahead(void **state)
{
	(void)state;
	add_small(100);
	poprig_login(&rig);
	for (size_t i = 1; i <= 100; i++) {
		(void)snprintf(rig.secret, 64, "TOP %zu 0", i);
		expect(rig.secret, "+OK\r\nA: b\r\n\r\n.\r\n");
	}
	assert_true(rig.reads < 10);
}

static void mails_out_of_turn_are_read_alone(void **state)
{
	(void)state;
	add_small(50);
	poprig_login(&rig);
	for (size_t i = 50; i >= 2; i -= 2)
		expect(numbered("RETR", i), SMALL);
	assert_int_equal(rig.most_read, 1);
}

static void a_read_ahead_is_bounded_in_octets(void **state)
{
	struct span text = make_mail(POPREAD_SMALL);

	(void)state;
	for (size_t i = 0; i < 100; i++)
		poprig_add(&rig, i + 1, text);
	poprig_login(&rig);
	for (size_t i = 1; i <= 100; i++)
		expect_mail(numbered("RETR", i), text);
	assert_int_equal(rig.most_read, POPREAD_AHEAD_MAX / POPREAD_SMALL);
}

static void big_mails_are_not_read_ahead(void **state)
{
	struct span text = make_mail(POPREAD_SMALL + 1);

	(void)state;
	for (size_t i = 0; i < 10; i++)
		poprig_add(&rig, i + 1, text);
	poprig_login(&rig);
	for (size_t i = 1; i <= 10; i++)
		expect_mail(numbered("RETR", i), text);
	assert_int_equal(rig.most_read, 1);
}

static void other_commands_go_on_during_a_read_ahead(void **state)
{
	(void)state;
	add_small(10);
	poprig_login(&rig);
	rig.stalled = true;
	expect("RETR 1", "");
	/* the first mail comes, the others are still on their way */
	rig.stalled = false;
	assert_true(poprig_deliver_one(&rig));
	assert_true(poprig_deliver_one(&rig));
	rig.stalled = true;
	poprig_pump(&rig);
	assert_text(buf_span(&rig.said), span_of(SMALL));
	expect("NOOP", "+OK\r\n");
	expect("DELE 1", "+OK\r\n");
	expect("RETR 9", "");
	rig.stalled = false;
	poprig_pump(&rig);
	assert_text(buf_span(&rig.said), span_of(SMALL));
	expect("QUIT", "+OK\r\n");
	assert_true(rig.mail[0].moved);
}

static void quit_waits_for_the_read_ahead_under_way(void **state)
{
	(void)state;
	add_small(10);
	poprig_login(&rig);
	rig.frame_max = 4;
	expect("RETR 1", SMALL);
	rig.stalled = true;
	expect("RETR 2", SMALL);
	expect("RETR 3", SMALL);
	expect("RETR 4", SMALL);
	expect("DELE 1", "+OK\r\n");
	expect("RETR 5", "");
	rig.stalled = false;
	poprig_pump(&rig);
	expect("QUIT", "+OK\r\n");
	assert_int_equal(rig.moves, 1);
}

/* Trouble */

static void rule_36_a_vanished_mail_is_told_and_asking_again_ends(void **state)
{
	(void)state;
	add_small(5);
	poprig_login(&rig);
	rig.mail[2].gone = true;
	expect("RETR 2", SMALL);
	expect_reply("RETR 3", R_POP_GONE);
	expect("RETR 4", SMALL);
	assert_false(rig.pop.ended);
	expect_reply("RETR 3", R_POP_GONE);
	assert_true(rig.pop.ended);
	assert_int_equal(rig.pop.end, CHAN_END_ERRORS);
}

/* Read ahead, streamed, and asked for again. */
static void a_damaged_mail_costs_its_own_command_only(void **state)
{
	(void)state;
	add_small(6);
	poprig_login(&rig);
	rig.mail[0].damaged = true;
	rig.mail[2].damaged = true;
	expect_reply("RETR 1", R_POP_DAMAGED);
	expect("RETR 2", SMALL);
	expect_reply("RETR 3", R_POP_DAMAGED);
	expect_reply("TOP 3 1", R_POP_DAMAGED);
	expect_reply("RETR 3", R_POP_DAMAGED);
	expect("RETR 4", SMALL);
	expect("DELE 3", "+OK\r\n");
	expect("QUIT", "+OK\r\n");
	assert_true(rig.mail[2].moved);
}

/* RETR of the only mail, whose head has come. b is empty then. */
static void begin_retr(struct buf *b, uint64_t octets)
{
	add_small(1);
	poprig_login(&rig);
	rig.stalled = true;
	(void)poprig_say(&rig, "RETR 1");
	chan_put_mail(b, 100, octets);
	popstate_frame(&rig.pop, buf_span(b));
	buf_reset(b);
}

static void a_mail_found_damaged_when_it_has_begun_is_cut(void **state)
{
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);

	(void)state;
	begin_retr(&b, 15);
	chan_put_damaged(&b, 100);
	popstate_frame(&rig.pop, buf_span(&b));
	assert_true(rig.pop.ended);
	assert_text(buf_span(&rig.out), span_of("+OK 15 octets\r\n"));
	buf_release(&b);
}

static void a_database_that_is_down_costs_the_command_only(void **state)
{
	(void)state;
	add_small(5);
	poprig_login(&rig);
	rig.down = true;
	for (int i = 0; i < 30; i++)
		expect_reply("RETR 1", R_POP_TEMP);
	rig.down = false;
	expect("RETR 1", SMALL);
}

static void a_mail_cut_by_trouble_never_gets_its_dot(void **state)
{
	struct span text = make_mail(BIG), got;

	(void)state;
	poprig_add(&rig, 5, text);
	poprig_login(&rig);
	rig.down_after_mail = true;
	got = poprig_say(&rig, "RETR 1");
	assert_true(rig.pop.ended);
	assert_text(got, span_of("+OK 3000000 octets\r\n"));
}

static void a_keeper_lost_amid_a_mail_adds_no_line_to_it(void **state)
{
	struct span text = make_mail(BIG);
	size_t n;

	(void)state;
	poprig_add(&rig, 5, text);
	poprig_login(&rig);
	rig.hold_out = true;
	(void)poprig_say(&rig, "RETR 1");
	n = rig.out.n;
	popstate_lost(&rig.pop);
	assert_true(rig.pop.ended);
	assert_int_equal(rig.out.n, n);
}

static void more_data_than_announced_is_trouble(void **state)
{
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);

	(void)state;
	begin_retr(&b, 3);
	chan_put_data(&b, SPAN_LIT("four"));
	popstate_frame(&rig.pop, buf_span(&b));
	assert_true(rig.pop.ended);
	assert_int_equal(rig.pop.end, CHAN_END_TROUBLE);
	buf_release(&b);
}

static void another_mail_than_asked_for_is_trouble(void **state)
{
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);

	(void)state;
	add_small(1);
	poprig_login(&rig);
	rig.stalled = true;
	(void)poprig_say(&rig, "RETR 1");
	chan_put_mail(&b, 999, 15);
	popstate_frame(&rig.pop, buf_span(&b));
	assert_true(rig.pop.ended);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_small_mail_comes_stuffed),
		TEST(rule_11_an_empty_mail_is_served),
		TEST(rule_08_nul_octets_pass),
		TEST(rule_08_nul_becomes_0x80_for_outlook),
		TEST(rule_15_top_counts_lines_of_the_body),
		TEST(rule_10_a_header_without_end_is_answered_whole),
		TEST(rule_10_a_missing_empty_line_is_added_and_counted),
		TEST(rule_12_a_big_mail_streams_in_bounded_memory),
		TEST(a_client_that_reads_nothing_holds_the_stream),
		TEST(rule_12_the_first_octets_leave_before_the_last_frame_comes),
		TEST(rule_13_the_beginning_of_an_answer_is_held_until_its_end),
		TEST(a_long_header_takes_more_reads_and_comes_whole),
		TEST(a_top_of_a_big_mail_reads_only_its_beginning),
		TEST(small_mails_in_turn_are_read_ahead),
		TEST(headers_in_turn_are_read_ahead),
		TEST(mails_out_of_turn_are_read_alone),
		TEST(a_read_ahead_is_bounded_in_octets),
		TEST(big_mails_are_not_read_ahead),
		TEST(other_commands_go_on_during_a_read_ahead),
		TEST(quit_waits_for_the_read_ahead_under_way),
		TEST(rule_36_a_vanished_mail_is_told_and_asking_again_ends),
		TEST(a_damaged_mail_costs_its_own_command_only),
		TEST(a_mail_found_damaged_when_it_has_begun_is_cut),
		TEST(a_database_that_is_down_costs_the_command_only),
		TEST(a_mail_cut_by_trouble_never_gets_its_dot),
		TEST(a_keeper_lost_amid_a_mail_adds_no_line_to_it),
		TEST(more_data_than_announced_is_trouble),
		TEST(another_mail_than_asked_for_is_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
