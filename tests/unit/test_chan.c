/* tests/unit/test_chan.c */
#include "tests/unit/wire.h"

#include <stdlib.h>

#include "lib/chan.h"

static struct buf frame = BUF_INIT(2 * CHAN_FRAME_MAX);

static int release_frame(void **state)
{
	(void)state;
	buf_release(&frame);
	return 0;
}

/* Every cut of the frame, and one octet more, must be malformed. Each is
 * parsed from memory of its own, so that a sanitizer sees an overrun. */
static void assert_only_whole_frames(bool (*parse)(struct span s))
{
	for (size_t n = 0; n <= frame.n + 1; n++) {
		char *copy = calloc(1, n + 1);
		bool ok;

		assert_non_null(copy);
		memcpy(copy, frame.p, n < frame.n ? n : frame.n);
		ok = parse(span_make(copy, n));
		free(copy);
		if (ok != (n == frame.n))
			fail_msg("%zu of %zu octets: %d", n, frame.n, ok);
	}
}

static bool parses_request(struct span s)
{
	struct chan_request r;

	return chan_parse_request(s, &r);
}

static bool parses_reply(struct span s)
{
	struct chan_reply r;

	return chan_parse_reply(s, &r);
}

static void request(struct chan_request *r)
{
	assert_true(buf_ok(&frame));
	assert_true(chan_parse_request(buf_span(&frame), r));
	assert_only_whole_frames(parses_request);
}

static const struct chan_auth plain = {
	.mech = MECH_PLAIN,
	.tls = true,
	.method = { "USER", 4 },
	.user = { "bob@d", 5 },
	.secret = { "s\0\xff", 3 },
};

static void auth_comes_back_as_it_was(void **state)
{
	struct chan_auth apop = { .mech = MECH_APOP,
				  .method = SPAN_LIT("APOP"),
				  .user = SPAN_EMPTY,
				  .secret = SPAN_LIT("0123456789abcdef") };
	struct chan_request r;

	(void)state;
	buf_reset(&frame);
	chan_put_auth(&frame, &plain);
	request(&r);
	assert_int_equal(r.type, CHAN_AUTH);
	assert_int_equal(r.u.auth.mech, MECH_PLAIN);
	assert_true(r.u.auth.tls);
	assert_text(r.u.auth.method, plain.method);
	assert_text(r.u.auth.user, plain.user);
	assert_text(r.u.auth.secret, plain.secret);
	buf_reset(&frame);
	chan_put_auth(&frame, &apop);
	request(&r);
	assert_int_equal(r.u.auth.mech, MECH_APOP);
	assert_false(r.u.auth.tls);
	assert_text(r.u.auth.user, SPAN_EMPTY);
	assert_text(r.u.auth.secret, apop.secret);
}

static void the_octets_of_auth_are_fixed(void **state)
{
	(void)state;
	buf_reset(&frame);
	chan_put_auth(&frame, &plain);
	assert_text(buf_span(&frame), SPAN_LIT("\1\1\1\4USER\0\5bob@d"
					       "\0\3s\0\xff"));
}

static void an_auth_that_the_keeper_would_reject_is_not_sent(void **state)
{
	static char big[CHAN_SECRET_MAX + 1];
	struct chan_auth bad[8];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		bad[i] = plain;
	bad[0].mech = MECH_LOGIN;
	bad[1].method = SPAN_EMPTY;
	bad[2].method = SPAN_LIT("user");
	bad[3].method = SPAN_LIT("US ER");
	bad[4].method = SPAN_LIT("ABCDEFGHIJKLMNOPQ");
	bad[5].user = span_make(big, AUTHPROTO_NAME_MAX + 1);
	bad[6].secret = span_make(big, CHAN_SECRET_MAX + 1);
	bad[7].mech = MECH_APOP; /* whose digest has 16 octets */
	for (size_t i = 0; i < COUNT(bad); i++) {
		buf_reset(&frame);
		chan_put_auth(&frame, &bad[i]);
		assert_false(buf_ok(&frame));
	}
}

static void read_comes_back_as_it_was(void **state)
{
	struct chan_read read = { .offset = 0, .limit = UINT64_MAX, .n = 0 };
	struct chan_request r;

	(void)state;
	for (size_t n = 1; n <= CHAN_READ_MAX; n++) {
		read.uid[n - 1] = UINT64_MAX - n;
		read.n = n;
		buf_reset(&frame);
		chan_put_read(&frame, &read);
		request(&r);
		assert_int_equal(r.type, CHAN_READ);
		assert_true(r.u.read.limit == UINT64_MAX);
		assert_int_equal(r.u.read.n, n);
		assert_memory_equal(r.u.read.uid, read.uid, 8 * n);
	}
	read.n = 1;
	read.offset = INT64_MAX;
	read.limit = 1;
	buf_reset(&frame);
	chan_put_read(&frame, &read);
	request(&r);
	assert_true(r.u.read.offset == INT64_MAX);
}

static void a_read_that_makes_no_sense_is_not_sent(void **state)
{
	static const struct chan_read bad[] = {
		{ .n = 0 },
		{ .n = CHAN_READ_MAX + 1 },
		{ .n = 2, .offset = 1 },
		{ .n = 1, .offset = 2, .limit = UINT64_MAX - 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		buf_reset(&frame);
		chan_put_read(&frame, &bad[i]);
		assert_false(buf_ok(&frame));
	}
}

static void move_comes_back_as_it_was(void **state)
{
	static uint64_t uid[CHAN_UIDS_MAX + 1];
	static const size_t counts[] = { 0, 1, 2, 100 };
	struct chan_request r;

	(void)state;
	for (size_t i = 0; i < COUNT(uid); i++)
		uid[i] = UINT64_C(0x0102030405060708) + i;
	for (size_t c = 0; c < COUNT(counts); c++) {
		buf_reset(&frame);
		chan_put_move(&frame, c % 2, uid, counts[c]);
		request(&r);
		assert_int_equal(r.type, CHAN_MOVE);
		assert_int_equal(r.u.move.last, c % 2);
		assert_int_equal(r.u.move.n, counts[c]);
		for (size_t i = 0; i < counts[c]; i++)
			assert_true(chan_move_uid(&r.u.move, i) == uid[i]);
	}
	buf_reset(&frame);
	chan_put_move(&frame, true, uid, CHAN_UIDS_MAX);
	assert_true(chan_parse_request(buf_span(&frame), &r));
	assert_true(chan_move_uid(&r.u.move, CHAN_UIDS_MAX - 1) ==
		    uid[CHAN_UIDS_MAX - 1]);
	chan_put_move(&frame, true, uid, CHAN_UIDS_MAX + 1);
	assert_false(buf_ok(&frame));
}

static void bye_comes_back_as_it_was(void **state)
{
	const struct chan_bye y = { .end = CHAN_END_IDLE,
				    .top = 1,
				    .top_octets = 2,
				    .retr = 3,
				    .retr_octets = UINT64_MAX,
				    .dele = 5,
				    .size_octets = 6,
				    .in_octets = 7,
				    .out_octets = 8 };
	struct chan_request r;

	(void)state;
	buf_reset(&frame);
	chan_put_bye(&frame, &y);
	request(&r);
	assert_int_equal(r.type, CHAN_BYE);
	assert_int_equal(r.u.bye.end, CHAN_END_IDLE);
	assert_true(r.u.bye.top == 1 && r.u.bye.top_octets == 2);
	assert_true(r.u.bye.retr == 3 && r.u.bye.retr_octets == UINT64_MAX);
	assert_true(r.u.bye.dele == 5 && r.u.bye.size_octets == 6);
	assert_true(r.u.bye.in_octets == 7 && r.u.bye.out_octets == 8);
}

static void peer_comes_back_as_it_was(void **state)
{
	static const char note[CHAN_NOTE_MAX + 1] = "a";
	struct chan_peer p = { .remote = { { 0x20, [15] = 7 } },
			       .local = { { [10] = 0xff, 0xff, 192, 0, 2, 1 } },
			       .remote_port = 65535,
			       .local_port = 110,
			       .note = SPAN_LIT("aB+/=") };
	struct chan_request r;

	(void)state;
	buf_reset(&frame);
	chan_put_peer(&frame, &p);
	request(&r);
	assert_int_equal(r.type, CHAN_PEER);
	assert_memory_equal(&r.u.peer.remote, &p.remote, sizeof(p.remote));
	assert_memory_equal(&r.u.peer.local, &p.local, sizeof(p.local));
	assert_int_equal(r.u.peer.remote_port, 65535);
	assert_int_equal(r.u.peer.local_port, 110);
	assert_text(r.u.peer.note, p.note);
	p.note = SPAN_LIT("a b");
	chan_put_peer(&frame, &p);
	assert_false(buf_ok(&frame));
	buf_reset(&frame);
	p.note = span_make(note, sizeof(note));
	chan_put_peer(&frame, &p);
	assert_false(buf_ok(&frame));
}

static void tls_comes_back_as_it_was(void **state)
{
	const struct chan_tls t = { .on = true,
				    .version = SPAN_LIT("TLSv1.3"),
				    .detail = SPAN_LIT("TLS_AES_256") };
	struct chan_tls bad = t;
	struct chan_request r;

	(void)state;
	buf_reset(&frame);
	chan_put_tls(&frame, &t);
	request(&r);
	assert_int_equal(r.type, CHAN_TLS);
	assert_true(r.u.tls.on);
	assert_text(r.u.tls.version, t.version);
	assert_text(r.u.tls.detail, t.detail);
	bad.detail = SPAN_LIT("a\nline");
	chan_put_tls(&frame, &bad);
	assert_false(buf_ok(&frame));
}

static void every_end_has_its_own_text(void **state)
{
	(void)state;
	for (int i = 0; i < CHAN_END_COUNT; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(
				chan_end_text((enum chan_end)i),
				chan_end_text((enum chan_end)k));
	assert_string_equal(chan_end_text(CHAN_END_COUNT), "unknown");
}

static void frames_of_no_session_are_rejected(void **state)
{
	static const struct span bad[] = {
#define S(s) { "" s, sizeof(s) - 1 }
		S(""),
		S("\0"),
		S("\5"),
		S("A"),
		/* a tls flag of 2, a mechanism of 2, of 255 */
		S("\1\1\2\4USER\0\5bob@d\0\3abc"),
		S("\1\2\1\4USER\0\5bob@d\0\3abc"),
		S("\1\377\1\4USER\0\5bob@d\0\3abc"),
		/* lengths beyond the frame and beyond what is allowed */
		S("\1\1\1\4USER\377\377bob@d\0\3abc"),
		S("\1\1\1\4USER\0\5bob@d\0\4abc"),
		S("\1\1\1\377USER\0\5bob@d\0\3abc"),
		S("\1\1\1\4us\n \0\5bob@d\0\3abc"),
		/* READ of none; MOVE with a flag of 2; with n of 65535 */
		S("\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		S("\3\2\0\0"),
		S("\3\1\377\377"),
		/* TLS with a flag of 2; on without a version, and the other
		 * way round; octets for a terminal; too long */
		S("\6\2\7TLSv1.3\3AES"),
		S("\6\1\0\3AES"),
		S("\6\0\7TLSv1.3\3AES"),
		S("\6\1\7TLSv1.3\3A\x1bS"),
		S("\6\1\7TLSv1.3\101aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaa"),
		/* BYE with no such end */
		S("\4\377"
		  "aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffffgggggggghhhh"
		  "hhhh"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (parses_request(bad[i]))
			fail_msg("frame %zu was taken", i);
}

static void replies_without_list_come_back_as_they_were(void **state)
{
	static const enum chan_reply_type simple[] = { CHAN_TEMP, CHAN_LIST_END,
						       CHAN_READ_END,
						       CHAN_CROWDED,
						       CHAN_PEER_TAKEN };
	struct chan_reply r;

	(void)state;
	for (size_t i = 0; i < COUNT(simple); i++) {
		buf_reset(&frame);
		chan_put_simple(&frame, simple[i]);
		assert_only_whole_frames(parses_reply);
		assert_true(chan_parse_reply(buf_span(&frame), &r));
		assert_int_equal(r.type, simple[i]);
	}
	buf_reset(&frame);
	chan_put_denied(&frame, CHAN_DENIED_EARLY);
	assert_only_whole_frames(parses_reply);
	assert_true(chan_parse_reply(buf_span(&frame), &r));
	assert_true(r.type == CHAN_DENIED && r.denial == CHAN_DENIED_EARLY);
	buf_reset(&frame);
	chan_put_denied(&frame, CHAN_DENIED_COUNT);
	assert_false(chan_parse_reply(buf_span(&frame), &r));
	buf_reset(&frame);
	chan_put_mail(&frame, 1, UINT64_MAX);
	assert_only_whole_frames(parses_reply);
	assert_true(chan_parse_reply(buf_span(&frame), &r));
	assert_true(r.type == CHAN_MAIL && r.uid == 1);
	assert_true(r.octets == UINT64_MAX);
	buf_reset(&frame);
	chan_put_gone(&frame, UINT64_MAX - 1);
	assert_only_whole_frames(parses_reply);
	assert_true(chan_parse_reply(buf_span(&frame), &r));
	assert_true(r.type == CHAN_GONE && r.uid == UINT64_MAX - 1);
	buf_reset(&frame);
	chan_put_damaged(&frame, 7);
	assert_only_whole_frames(parses_reply);
	assert_true(chan_parse_reply(buf_span(&frame), &r));
	assert_true(r.type == CHAN_DAMAGED && r.uid == 7);
	buf_reset(&frame);
	chan_put_moved(&frame, 258);
	assert_only_whole_frames(parses_reply);
	assert_true(chan_parse_reply(buf_span(&frame), &r));
	assert_true(r.type == CHAN_MOVED && r.count == 258);
	buf_reset(&frame);
	chan_put_stop(&frame, CHAN_END_KICKED);
	assert_only_whole_frames(parses_reply);
	assert_true(chan_parse_reply(buf_span(&frame), &r));
	assert_true(r.type == CHAN_STOP && r.end == CHAN_END_KICKED);
	assert_false(chan_parse_reply(SPAN_LIT("\115\377"), &r));
}

static void data_fills_a_frame_and_no_more(void **state)
{
	static char big[CHAN_FRAME_MAX + 1];
	struct span most = { big, CHAN_FRAME_MAX - 1 };
	struct chan_reply r;

	(void)state;
	memset(big, CHAN_DATA, sizeof(big));
	buf_reset(&frame);
	chan_put_data(&frame, most);
	assert_int_equal(frame.n, CHAN_FRAME_MAX);
	assert_true(chan_parse_reply(buf_span(&frame), &r));
	assert_int_equal(r.type, CHAN_DATA);
	assert_text(r.data, most);
	chan_put_data(&frame, span_make(big, CHAN_FRAME_MAX));
	assert_false(buf_ok(&frame));
	assert_false(parses_reply(span_make(big, CHAN_FRAME_MAX + 1)));
	buf_reset(&frame);
	chan_put_data(&frame, SPAN_EMPTY);
	assert_true(chan_parse_reply(buf_span(&frame), &r));
	assert_int_equal(r.data.n, 0);
}

static void a_list_comes_back_as_it_was(void **state)
{
	static const struct chan_list_entry entries[] = {
		{ 1, 2, { "a", 1 } },
		{ UINT64_MAX, UINT64_MAX, { "16777216.0000000z", 17 } },
		{ 0, 0, { "!~", 2 } },
	};
	struct chan_list_entry e;
	struct chan_list l;
	struct chan_reply r;

	(void)state;
	buf_reset(&frame);
	chan_list_begin(&l, &frame);
	for (size_t i = 0; i < COUNT(entries); i++)
		assert_true(chan_list_add(&l, &entries[i]));
	chan_list_end(&l);
	assert_only_whole_frames(parses_reply);
	assert_true(chan_parse_reply(buf_span(&frame), &r));
	assert_int_equal(r.type, CHAN_LIST);
	assert_int_equal(r.count, COUNT(entries));
	for (size_t i = 0; i < COUNT(entries); i++) {
		assert_true(chan_list_next(&r, &e));
		assert_true(e.uid == entries[i].uid);
		assert_true(e.octets == entries[i].octets);
		assert_text(e.uidl, entries[i].uidl);
	}
	assert_int_equal(r.data.n, 0);
	assert_false(chan_list_next(&r, &e));
}

static void a_full_list_ends_at_the_frame(void **state)
{
	static char uidl[CHAN_UIDL_MAX];
	struct chan_list_entry e = { 1, 1, { uidl, sizeof(uidl) } };
	struct chan_reply r;
	struct chan_list l;
	size_t n = 0;

	(void)state;
	memset(uidl, 'x', sizeof(uidl));
	buf_reset(&frame);
	chan_list_begin(&l, &frame);
	while (chan_list_add(&l, &e))
		n++;
	chan_list_end(&l);
	assert_true(buf_ok(&frame));
	assert_int_equal(n, (CHAN_FRAME_MAX - 3) / (17 + CHAN_UIDL_MAX));
	assert_true(frame.n <= CHAN_FRAME_MAX);
	assert_true(chan_parse_reply(buf_span(&frame), &r));
	assert_int_equal(r.count, n);
}

static void a_grant_comes_back_as_it_was(void **state)
{
	struct chan_grant g = { 0 };
	struct chan_reply r;

	(void)state;
	for (int i = 0; i < 2; i++) {
		g.exclusive = i == 1;
		g.expire_days = i == 1 ? 36500 : 0;
		buf_reset(&frame);
		chan_put_granted(&frame, &g);
		assert_true(chan_parse_reply(buf_span(&frame), &r));
		assert_int_equal(r.type, CHAN_GRANTED);
		assert_int_equal(r.grant.exclusive, g.exclusive);
		assert_int_equal(r.grant.expire_days, g.expire_days);
		assert_false(chan_parse_reply(
			span_head(buf_span(&frame), frame.n - 1), &r));
	}
	frame.p[1] = 2;
	assert_false(chan_parse_reply(buf_span(&frame), &r));
}

static void an_empty_list_and_a_second_frame_are_fine(void **state)
{
	struct chan_reply r;
	struct chan_list l;

	(void)state;
	buf_reset(&frame);
	chan_put_simple(&frame, CHAN_TEMP);
	chan_list_begin(&l, &frame);
	chan_list_end(&l);
	assert_true(chan_parse_reply(span_skip(buf_span(&frame), 1), &r));
	assert_int_equal(r.count, 0);
	assert_int_equal(r.data.n, 0);
}

static void a_uidl_that_pop3_forbids_is_not_sent(void **state)
{
	static const struct span bad[] = {
		S(""),
		S("a b"),
		S("a\177"),
		S("a\0"),
		S("\303\244"),
		S("0123456789012345678901234567890123456789"
		  "0123456789012345678901234567890"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct chan_list_entry e = { 1, 1, bad[i] };
		struct chan_list l;

		buf_reset(&frame);
		chan_list_begin(&l, &frame);
		assert_false(chan_list_add(&l, &e));
		assert_false(buf_ok(&frame));
	}
}

static void frames_of_no_keeper_are_rejected(void **state)
{
	static const struct span bad[] = {
		S(""),
		S("\0"),
		S("\1"),
		S("@"),
		S("N"),
		S("\377"),
		/* LIST: fewer and more entries than told, bad UIDLs */
		S("D\0\1"),
		S("D\0\0x"),
		S("D\0\2aaaaaaaabbbbbbbb\1u"),
		S("D\0\1aaaaaaaabbbbbbbb\1uv"),
		S("D\0\1aaaaaaaabbbbbbbb\0"),
		S("D\0\1aaaaaaaabbbbbbbb\1 "),
		S("D\0\1aaaaaaaabbbbbbbb\2u"),
		S("D\377\377aaaaaaaabbbbbbbb\1u"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (parses_reply(bad[i]))
			fail_msg("frame %zu was taken", i);
	assert_true(parses_reply(SPAN_LIT("D\0\1aaaaaaaabbbbbbbb\1u")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(auth_comes_back_as_it_was),
		cmocka_unit_test(the_octets_of_auth_are_fixed),
		cmocka_unit_test(
			an_auth_that_the_keeper_would_reject_is_not_sent),
		cmocka_unit_test(read_comes_back_as_it_was),
		cmocka_unit_test(a_read_that_makes_no_sense_is_not_sent),
		cmocka_unit_test(move_comes_back_as_it_was),
		cmocka_unit_test(bye_comes_back_as_it_was),
		cmocka_unit_test(peer_comes_back_as_it_was),
		cmocka_unit_test(tls_comes_back_as_it_was),
		cmocka_unit_test(every_end_has_its_own_text),
		cmocka_unit_test(frames_of_no_session_are_rejected),
		cmocka_unit_test(replies_without_list_come_back_as_they_were),
		cmocka_unit_test(data_fills_a_frame_and_no_more),
		cmocka_unit_test(a_list_comes_back_as_it_was),
		cmocka_unit_test(a_full_list_ends_at_the_frame),
		cmocka_unit_test(a_grant_comes_back_as_it_was),
		cmocka_unit_test(an_empty_list_and_a_second_frame_are_fine),
		cmocka_unit_test(a_uidl_that_pop3_forbids_is_not_sent),
		cmocka_unit_test(frames_of_no_keeper_are_rejected),
	};

	return cmocka_run_group_tests(tests, NULL, release_frame);
}
