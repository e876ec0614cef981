/* tests/unit/test_poprules.c: rules that clients and the RFCs impose, each
 * named by its number in tests/dialog/RULES.md. What is asked at length
 * elsewhere is not here. */
#include "tests/unit/poptest.h"

#include <stdlib.h>
#include <time.h>

#include "pop3d/popcmd.h"
#include "tests/unit/poptalk.h"

enum { LINES = 8192, MANY = 100000 };

static struct poptalk talk;

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
	return 0;
}

/* Mails of every shape that has made trouble somewhere. */
static const struct span shapes[] = {
	SPAN_INIT("A: b\r\n\r\nplain\r\n"),
	SPAN_INIT(".A: b\r\n\r\n.\r\n..\r\n.x\r\n\r\n.\r\n"),
	SPAN_INIT(".\r\n"),
	SPAN_INIT("A: b\r\n\r\n"),
	SPAN_INIT("A: b\r\n"),
	SPAN_INIT("\r\nbody without a header\r\n"),
	SPAN_INIT("A: b\r\n\r\n\0NUL\0\r\n\0\0\r\n"),
	SPAN_INIT("A: \xc3\xa4\xff\r\n\r\n\x80\x81\xfe\xff\r\n"),
	SPAN_INIT("A: b\r\n\r\nlone \r CR and\r\r\n"),
	SPAN_INIT(""),
	SPAN_INIT("\r\n"),
	SPAN_INIT("A: b\r\n\r\n\r\n\r\n\r\n"),
};

static void add_shapes(void)
{
	for (size_t i = 0; i < COUNT(shapes); i++)
		poprig_add(&rig, i + 1, shapes[i]);
}

static const char *say(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
static const char *say(const char *format, ...)
{
	static char line[512];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	return line;
}

/* A whole conversation, sent in pieces of so many octets, and judged. */
static void converse(struct span octets, size_t piece, size_t lines)
{
	static char room_[LINES + 2];
	struct line_buf in = { .p = room_, .size = sizeof(room_) };
	enum line_status status;
	struct buf said = BUF_INIT(SIZE_MAX);
	const char *wrong;
	struct span line;

	memset(&talk, 0, sizeof(talk));
	buf_reset(&rig.said);
	while (octets.n) {
		struct line_room room = line_room(&in);
		struct span s =
			span_head(octets, piece < room.n ? piece : room.n);

		memcpy(room.p, s.p, s.n);
		line_added(&in, s.n);
		octets = span_skip(octets, s.n);
		while (popstate_wants_line(&rig.pop) &&
		       (status = line_take(&in, &line)) != LINE_MORE) {
			poptalk_note(&talk, &rig.pop, status, line);
			popstate_line(&rig.pop, status, line);
			poprig_pump(&rig);
			buf_put_span(&said, buf_span(&rig.said));
			buf_reset(&rig.said);
		}
	}
	wrong = poptalk_judge(&talk, &rig, buf_span(&said), false);
	buf_release(&said);
	if (wrong)
		fail_msg("%s", wrong);
	assert_int_equal(talk.lines, lines);
}

/* Sizes and content */

static void rule_01_retr_sends_as_many_octets_as_list_says(void **state)
{
	struct buf all = BUF_INIT(4096);

	(void)state;
	buf_puts(&all,
		 "USER bob@example.org\r\nPASS secret\r\nLIST\r\nSTAT\r\n");
	for (size_t i = 1; i <= COUNT(shapes); i++)
		buf_printf(&all, "RETR %zu\r\nTOP %zu 99\r\n", i, i);
	for (size_t frame = 0; frame < 20; frame++) {
		poprig_release(&rig);
		poprig_init(&rig);
		rig.frame_max = frame;
		add_shapes();
		converse(buf_span(&all), all.n, 4 + 2 * COUNT(shapes));
		assert_int_equal(rig.pop.count.retr, COUNT(shapes));
	}
	buf_release(&all);
}

static void rule_04_a_dot_that_begins_a_line_gets_another(void **state)
{
	(void)state;
	for (size_t frame = 0; frame < 25; frame++) {
		poprig_release(&rig);
		poprig_init(&rig);
		rig.frame_max = frame;
		poprig_add(&rig, 1,
			   SPAN_LIT(".a\r\n.\r\n\r\n..b\r\nc.\r\n.\r\n"));
		poprig_login(&rig);
		expect("RETR 1", "+OK 21 octets\r\n..a\r\n..\r\n\r\n...b\r\n"
				 "c.\r\n..\r\n.\r\n");
	}
}

static void rule_05_a_mail_without_last_line_end_never_hangs(void **state)
{
	static const struct {
		struct span text;
		const char *end;
	} rows[] = {
		{ SPAN_INIT("A: b\r\n\r\nx"), "x\r\n.\r\n" },
		{ SPAN_INIT("A: b\r\n\r\nx\r"), "x\r\r\n.\r\n" },
		{ SPAN_INIT("A: b\r\n\r\nx\n"), "x\n\r\n.\r\n" },
		{ SPAN_INIT("A: b\r\n\r\n."), "..\r\n.\r\n" },
		{ SPAN_INIT("x"), "x\r\n.\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		poprig_add(&rig, i + 1, rows[i].text);
	poprig_login(&rig);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span got = poprig_say(&rig, say("RETR %zu", i + 1));
		size_t n = strlen(rows[i].end);

		assert_true(got.n > n);
		assert_memory_equal(got.p + got.n - n, rows[i].end, n);
		expect("NOOP", "+OK\r\n");
	}
}

static void rule_06_a_whole_mail_gets_no_line_more(void **state)
{
	(void)state;
	poprig_add(&rig, 1, SPAN_LIT("A: b\r\n\r\nx\r\n"));
	poprig_login(&rig);
	for (int i = 0; i < 3; i++)
		expect("RETR 1", "+OK 11 octets\r\nA: b\r\n\r\nx\r\n.\r\n");
}

static void rule_09_long_lines_and_eight_bits_pass(void **state)
{
	static const size_t sizes[] = { 998, 999, 1000, 65535, 65536, 200000 };
	struct buf text = BUF_INIT(1 << 20);

	(void)state;
	buf_puts(&text, "A: b\r\n\r\n");
	for (size_t i = 0; i < COUNT(sizes); i++) {
		char *p = buf_reserve(&text, sizes[i]);

		memset(p, 0x80 + (int)i, sizes[i]);
		text.n += sizes[i];
		buf_puts(&text, "\r\n");
	}
	poprig_add(&rig, 1, buf_span(&text));
	converse(SPAN_LIT("USER bob@example.org\r\nPASS secret\r\nRETR 1\r\n"
			  "TOP 1 3\r\n"),
		 100, 4);
	buf_release(&text);
}

/* TOP */

static void rule_14_top_0_is_the_header_and_the_empty_line(void **state)
{
	(void)state;
	poprig_add(&rig, 1, SPAN_LIT("A: b\r\nC: d\r\n\r\n\r\nbody\r\n"));
	poprig_login(&rig);
	expect("TOP 1 0", "+OK\r\nA: b\r\nC: d\r\n\r\n.\r\n");
}

static void rule_16_top_of_more_lines_than_there_are_is_retr(void **state)
{
	static const char *const many[] = { "99999999", "2147483648",
					    "18446744073709551615" };
	struct buf retr = BUF_INIT(SIZE_MAX);

	(void)state;
	add_shapes();
	poprig_login(&rig);
	for (size_t i = 1; i <= COUNT(shapes); i++) {
		struct span status, body;

		buf_reset(&retr);
		buf_put_span(&retr, poprig_say(&rig, say("RETR %zu", i)));
		(void)span_cut(buf_span(&retr), '\n', &status, &body);
		for (size_t k = 0; k < COUNT(many); k++) {
			struct span got =
				poprig_say(&rig, say("TOP %zu %s", i, many[k]));

			assert_true(span_eq(span_head(got, 5),
					    SPAN_LIT("+OK\r\n")));
			assert_text(span_skip(got, 5), body);
		}
	}
	buf_release(&retr);
}

static void rule_17_top_only_reads(void **state)
{
	(void)state;
	poprig_add(&rig, 1, SPAN_LIT("A: b\r\n\r\nx\r\n"));
	poprig_login(&rig);
	expect("TOP 1 1", "+OK\r\nA: b\r\n\r\nx\r\n.\r\n");
	assert_int_equal(rig.reads, 1);
	expect("STAT", "+OK 1 11\r\n");
	expect("QUIT", "+OK\r\n");
	assert_int_equal(rig.moves, 0);
}

static void rule_18_top_with_odd_arguments_is_refused(void **state)
{
	static const struct {
		const char *line;
		enum reply_id reply;
	} bad[] = {
		{ "TOP", R_POP_ARGS },
		{ "TOP ", R_POP_ARGS },
		{ "TOP 1 2 3", R_POP_ARGS },
		{ "TOP 1xyz 0", R_POP_SYNTAX },
		{ "TOP 1 0xyz", R_POP_SYNTAX },
		{ "TOP -1 0", R_POP_SYNTAX },
		{ "TOP 1 -1", R_POP_SYNTAX },
		{ "TOP +1 0", R_POP_SYNTAX },
		{ "TOP 1 +1", R_POP_SYNTAX },
		{ "TOP  1", R_POP_SYNTAX },
		{ "TOP 1  0", R_POP_ARGS },
		{ "TOP 18446744073709551616 0", R_POP_SYNTAX },
		{ "TOP 18446744073709551621 0", R_POP_SYNTAX },
		{ "TOP 1 18446744073709551616", R_POP_SYNTAX },
		{ "TOP 0 0", R_POP_NOMSG },
		{ "TOP 2 0", R_POP_NOMSG },
	};

	(void)state;
	poprig_add(&rig, 1, SPAN_LIT("A: b\r\n\r\nx\r\n"));
	rig.pop.rules.max_errors = 100;
	poprig_login(&rig);
	for (size_t i = 0; i < COUNT(bad); i++)
		expect_reply(bad[i].line, bad[i].reply);
	/* without a count, as old servers took it */
	expect("TOP 1", "+OK\r\nA: b\r\n\r\n.\r\n");
}

static void rule_19_top_says_ok_once(void **state)
{
	(void)state;
	poprig_add(&rig, 1, SPAN_LIT("A: b\r\n\r\n+OK\r\n"));
	rig.frame_max = 3;
	poprig_login(&rig);
	expect("TOP 1 5", "+OK\r\nA: b\r\n\r\n+OK\r\n.\r\n");
	expect("NOOP", "+OK\r\n");
}

/* The list */

static void rule_24_uidl_n_is_the_line_of_uidl(void **state)
{
	(void)state;
	add_shapes();
	poprig_login(&rig);
	for (size_t i = 1; i <= COUNT(shapes); i++) {
		char want[64];

		(void)snprintf(want, sizeof(want), "+OK %zu u%zu\r\n", i, i);
		expect(say("UIDL %zu", i), want);
		(void)snprintf(want, sizeof(want), "+OK %zu %zu\r\n", i,
			       shapes[i - 1].n);
		expect(say("LIST %zu", i), want);
	}
}

static void assert_single_blanks(struct span s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i - 1] == ' ')
			assert_true(s.p[i] > ' ');
		assert_true(s.p[i] != '\t');
	}
}

static void rule_25_one_blank_between_fields_and_none_behind(void **state)
{
	static const char *const lines[] = { "STAT",   "LIST", "LIST 1", "UIDL",
					     "UIDL 1", "CAPA", "RETR 4" };

	(void)state;
	add_shapes();
	poprig_login(&rig);
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_single_blanks(poprig_say(&rig, lines[i]));
}

static void rule_28_a_hundred_thousand_mails_take_no_time(void **state)
{
	clock_t began;

	(void)state;
	poprig_login(&rig);
	for (uint64_t uid = 1; uid <= MANY; uid++)
		assert_true(poplist_add(&rig.pop.list, uid, 1000,
					SPAN_LIT("abcdefghijkl")));
	began = clock();
	for (size_t i = 2; i <= MANY; i++)
		poplist_delete(&rig.pop.list, i - 1);
	(void)poprig_say(&rig, "LIST");
	(void)poprig_say(&rig, "STAT");
	(void)poprig_say(&rig, "RSET");
	assert_true(poprig_say(&rig, "UIDL").n > MANY * 15);
	assert_true(poprig_say(&rig, "LIST").n > MANY * 7);
	/* a walk of the list for each mail would take minutes */
	assert_true(clock() - began < 3 * CLOCKS_PER_SEC);
}

/* Session and states */

static void rule_29_new_mail_waits_for_the_next_login(void **state)
{
	(void)state;
	poprig_add(&rig, 1, SPAN_LIT("A: b\r\n\r\nx\r\n"));
	poprig_login(&rig);
	poprig_add(&rig, 2, SPAN_LIT("new\r\n"));
	expect("STAT", "+OK 1 11\r\n");
	expect("RSET", "+OK\r\n");
	expect("LIST", "+OK 1 message\r\n1 11\r\n.\r\n");
	expect_reply("RETR 2", R_POP_NOMSG);
}

static void rule_30_rset_takes_all_deletions_back(void **state)
{
	(void)state;
	add_shapes();
	poprig_login(&rig);
	for (size_t i = 1; i <= COUNT(shapes); i++)
		expect(say("DELE %zu", i), "+OK\r\n");
	expect("STAT", "+OK 0 0\r\n");
	expect("RSET", "+OK\r\n");
	converse(SPAN_LIT("STAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nQUIT\r\n"), 99, 5);
	assert_int_equal(rig.moves, 0);
}

static void rule_31_what_is_deleted_is_not_there(void **state)
{
	(void)state;
	poprig_add(&rig, 1, SPAN_LIT("A: b\r\n\r\nx\r\n"));
	poprig_login(&rig);
	expect("DELE 1", "+OK\r\n");
	expect_reply("DELE 1", R_POP_DELETED);
	expect_reply("RETR 1", R_POP_DELETED);
	expect_reply("TOP 1 0", R_POP_DELETED);
	expect_reply("LIST 1", R_POP_DELETED);
	expect_reply("UIDL 1", R_POP_DELETED);
	expect("QUIT", "+OK\r\n");
	assert_int_equal(rig.moves, 1);
}

static void rule_39_odd_lines_are_refused_and_nothing_crashes(void **state)
{
	static const char *const odd[] = {
		"",     " ",       ":",    "STAT:",    " STAT",    "\tSTAT",
		"%n%s", "STAT\t1", "\x1b", "\xff\xfe", "RETR\x01", "LIST 1 2 3",
	};
	char line[300];

	(void)state;
	rig.pop.rules.max_errors = 100;
	for (size_t i = 0; i < COUNT(odd); i++)
		assert_true(span_starts_nocase(poprig_say(&rig, odd[i]),
					       SPAN_LIT("-ERR ")));
	memset(line, 'x', sizeof(line));
	for (size_t n = 250; n < sizeof(line); n++)
		(void)poprig_say_span(&rig, LINE_OK, span_make(line, n));
	poprig_login(&rig);
	expect("sTaT", "+OK 0 0\r\n");
	expect("STAT  ", "+OK 0 0\r\n");
}

static void rule_40_what_is_unknown_or_out_of_place_ends_nothing(void **state)
{
	(void)state;
	expect_reply("XYZZY", R_POP_UNKNOWN);
	expect_reply("STAT", R_POP_STATE);
	expect_reply("DELE 1", R_POP_STATE);
	poprig_login(&rig);
	expect_reply("USER bob", R_POP_STATE);
	expect_reply("PASS x", R_POP_STATE);
	expect_reply("AUTH PLAIN", R_POP_STATE);
	expect_reply("APOP a b", R_POP_STATE);
	expect("NOOP", "+OK\r\n");
}

static void rule_41_commands_come_in_any_pieces(void **state)
{
	static const char all[] =
		"CAPA\r\nAUTH PLAIN\r\nAGJvYkBleGFtcGxlLm9yZwBzZWNyZXQ=\r\n"
		"STAT\r\nLIST\r\nRETR 2\r\nTOP 2 1\r\nXYZZY\r\nDELE 1\r\n"
		"UIDL\r\nDELE 3\r\nRSET\r\nDELE 2\r\nQUIT\r\n";

	(void)state;
	for (size_t piece = 1; piece <= sizeof(all); piece++) {
		poprig_release(&rig);
		poprig_init(&rig);
		add_shapes();
		converse(span_make(all, sizeof(all) - 1), piece, 14);
		expect_end(CHAN_END_QUIT);
		assert_false(rig.mail[0].moved);
		assert_true(rig.mail[1].moved);
	}
}

static void rule_41_a_thousand_commands_come_at_once(void **state)
{
	struct buf all = BUF_INIT(1 << 16);

	(void)state;
	add_shapes();
	poprig_login(&rig);
	for (size_t i = 0; i < 333; i++)
		buf_printf(&all, "NOOP\r\nRETR %zu\r\nSTAT\r\n", i % 12 + 1);
	buf_puts(&all, "QUIT\r\n");
	converse(buf_span(&all), all.n, 1000);
	expect_end(CHAN_END_QUIT);
	buf_release(&all);
}

static void rule_41_while_a_command_goes_on_none_is_taken(void **state)
{
	(void)state;
	add_shapes();
	poprig_login(&rig);
	assert_true(popstate_wants_line(&rig.pop));
	rig.stalled = true;
	expect("RETR 1", "");
	assert_false(popstate_wants_line(&rig.pop));
	rig.stalled = false;
	poprig_pump(&rig);
	assert_true(popstate_wants_line(&rig.pop));
}

/* CAPA, AUTH and the rest */

static void rule_43_capa_is_answered_first_and_after_a_failure(void **state)
{
	struct buf first = BUF_INIT(4096);

	(void)state;
	buf_put_span(&first, poprig_say(&rig, "CAPA"));
	assert_true(span_starts_nocase(buf_span(&first), SPAN_LIT("+OK")));
	(void)poprig_say(&rig, "USER bob@example.org");
	expect_reply("PASS wrong", R_POP_AUTH);
	expect("CAPA", buf_cstr(&first));
	(void)poprig_say(&rig, "USER bob@example.org");
	expect("CAPA", buf_cstr(&first));
	expect("PASS secret", "+OK 0 messages\r\n");
	buf_release(&first);
}

static void rule_44_capa_names_top_and_uidl_before_the_login(void **state)
{
	struct span got = poprig_say(&rig, "CAPA");

	(void)state;
	assert_non_null(memmem(got.p, got.n, "\r\nTOP\r\n", 7));
	assert_non_null(memmem(got.p, got.n, "\r\nUIDL\r\n", 8));
}

static void rule_45_without_tls_stls_is_not_offered_and_refused(void **state)
{
	struct span got = poprig_say(&rig, "CAPA");

	(void)state;
	assert_null(memmem(got.p, got.n, "STLS", 4));
	expect_reply("STLS", R_POP_STLS_OFF);
	poprig_login(&rig);
	expect_reply("STLS", R_POP_STATE);
}

static void rule_54_oauthbearer_is_not_offered_and_refused(void **state)
{
	static const char *const lines[] = { "AUTH OAUTHBEARER",
					     "AUTH OAUTHBEARER bixhPWJvYg==",
					     "AUTH XOAUTH2" };
	static const char *const lists[] = { "CAPA", "AUTH" };

	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++) {
		struct span got = poprig_say(&rig, lists[i]);

		assert_null(memmem(got.p, got.n, "OAUTH", 5));
	}
	for (size_t i = 0; i < COUNT(lines); i++)
		expect_reply(lines[i], R_POP_MECH);
	(void)poprig_say(&rig, "USER bob@example.org");
	expect("PASS secret", "+OK 0 messages\r\n");
}

static void rule_57_lang_is_not_offered_and_refused(void **state)
{
	struct span got = poprig_say(&rig, "CAPA");

	(void)state;
	assert_null(memmem(got.p, got.n, "LANG", 4));
	expect_reply("LANG", R_POP_UNKNOWN);
	expect_reply("LANG *", R_POP_UNKNOWN);
	expect_reply("LANG en", R_POP_UNKNOWN);
}

static void rule_59_a_status_line_is_short_and_ends_in_crlf(void **state)
{
	struct buf b = BUF_INIT(4096);

	(void)state;
	for (enum reply_id id = R_NONE; id < REPLY_COUNT; id++) {
		buf_reset(&b);
		reply_put_pop3(&b, id);
		assert_true(b.n <= 512);
		assert_memory_equal(b.p + b.n - 2, "\r\n", 2);
		for (size_t i = 0; i + 2 < b.n; i++)
			assert_true(b.p[i] >= 0x20 && b.p[i] <= 0x7e);
	}
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rule_01_retr_sends_as_many_octets_as_list_says),
		TEST(rule_04_a_dot_that_begins_a_line_gets_another),
		TEST(rule_05_a_mail_without_last_line_end_never_hangs),
		TEST(rule_06_a_whole_mail_gets_no_line_more),
		TEST(rule_09_long_lines_and_eight_bits_pass),
		TEST(rule_14_top_0_is_the_header_and_the_empty_line),
		TEST(rule_16_top_of_more_lines_than_there_are_is_retr),
		TEST(rule_17_top_only_reads),
		TEST(rule_18_top_with_odd_arguments_is_refused),
		TEST(rule_19_top_says_ok_once),
		TEST(rule_24_uidl_n_is_the_line_of_uidl),
		TEST(rule_25_one_blank_between_fields_and_none_behind),
		TEST(rule_28_a_hundred_thousand_mails_take_no_time),
		TEST(rule_29_new_mail_waits_for_the_next_login),
		TEST(rule_30_rset_takes_all_deletions_back),
		TEST(rule_31_what_is_deleted_is_not_there),
		TEST(rule_39_odd_lines_are_refused_and_nothing_crashes),
		TEST(rule_40_what_is_unknown_or_out_of_place_ends_nothing),
		TEST(rule_41_commands_come_in_any_pieces),
		TEST(rule_41_a_thousand_commands_come_at_once),
		TEST(rule_41_while_a_command_goes_on_none_is_taken),
		TEST(rule_43_capa_is_answered_first_and_after_a_failure),
		TEST(rule_44_capa_names_top_and_uidl_before_the_login),
		TEST(rule_45_without_tls_stls_is_not_offered_and_refused),
		TEST(rule_54_oauthbearer_is_not_offered_and_refused),
		TEST(rule_57_lang_is_not_offered_and_refused),
		TEST(rule_59_a_status_line_is_short_and_ends_in_crlf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
