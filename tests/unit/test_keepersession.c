/* tests/unit/test_keepersession.c: what the keeper lets a session do. */
#include "pop3d/keepersession.h"

#include "tests/unit/wire.h"

enum { ATTEMPTS = 3, FRAME_MAX = 1 << 17 };

static struct buf frame = BUF_INIT(FRAME_MAX);

static struct span auth_frame(void)
{
	const struct chan_auth a = { .mech = MECH_PLAIN,
				     .method = SPAN_LIT("USER"),
				     .user = SPAN_LIT("bob@example.com"),
				     .secret = SPAN_LIT("secret") };

	buf_reset(&frame);
	chan_put_auth(&frame, &a);
	return buf_span(&frame);
}

static struct span read_frame(void)
{
	const struct chan_read r = { .offset = 100, .n = 1, .uid = { 7 } };

	buf_reset(&frame);
	chan_put_read(&frame, &r);
	return buf_span(&frame);
}

static struct span move_frame(bool last, size_t n)
{
	uint64_t uid[16];

	for (size_t i = 0; i < n; i++)
		uid[i] = 1000 + i;
	buf_reset(&frame);
	chan_put_move(&frame, last, uid, n);
	return buf_span(&frame);
}

static struct span bye_frame(void)
{
	const struct chan_bye y = { .end = CHAN_END_IDLE };

	buf_reset(&frame);
	chan_put_bye(&frame, &y);
	return buf_span(&frame);
}

static struct span tls_frame(void)
{
	const struct chan_tls t = { .on = true,
				    .version = SPAN_LIT("TLSv1.3"),
				    .detail = SPAN_LIT("AES") };

	buf_reset(&frame);
	chan_put_tls(&frame, &t);
	return buf_span(&frame);
}

static struct span empty_move(void)
{
	return move_frame(true, 0);
}

static struct keepersession begin(enum keepersession_state state)
{
	const struct keeper_session told = { .id = 1 };
	struct keepersession s;

	keepersession_init(&s, &told);
	s.state = state;
	s.bound = state >= KS_LIST;
	s.listed = 10;
	return s;
}

static enum keepersession_todo take(struct keepersession *s, struct span f)
{
	struct chan_request r;
	const char *why = "";
	enum keepersession_todo todo;

	todo = keepersession_take(s, f, ATTEMPTS, &r, &why);
	assert_int_equal(todo == KT_DROP, why[0] != '\0');
	return todo;
}

static struct span peer_frame(void)
{
	const struct chan_peer p = { .remote = { { 0x20, [15] = 7 } },
				     .remote_port = 40000,
				     .note = SPAN_LIT("abc") };

	buf_reset(&frame);
	chan_put_peer(&frame, &p);
	return buf_span(&frame);
}

static void only_a_known_proxy_tells_another_address_and_once(void **state)
{
	const struct ipaddr local = { { [15] = 1 } };
	struct keepersession s = begin(KS_LOGIN);

	(void)state;
	assert_int_equal(take(&s, peer_frame()), KT_DROP);
	assert_int_equal(s.told.remote.octet[15], 0);
	s = begin(KS_LOGIN);
	s.told.proxy = true;
	s.told.local = local;
	assert_int_equal(take(&s, peer_frame()), KT_PEER);
	assert_int_equal(s.told.remote.octet[15], 7);
	assert_int_equal(s.told.remote_port, 40000);
	assert_int_equal(s.told.local.octet[15], 1);
	assert_string_equal(s.note, "abc");
	assert_int_equal(take(&s, peer_frame()), KT_DROP);
	s = begin(KS_LOGIN);
	s.told.proxy = true;
	s.attempts = 1;
	assert_int_equal(take(&s, peer_frame()), KT_DROP);
	s = begin(KS_IDLE);
	s.told.proxy = true;
	assert_int_equal(take(&s, peer_frame()), KT_DROP);
}

static void every_request_has_its_states(void **state)
{
	static const struct {
		struct span (*make)(void);
		enum keepersession_todo todo;
		unsigned states;
	} row[] = {
		{ auth_frame, KT_AUTH, 1U << KS_LOGIN },
		{ read_frame, KT_READ, 1U << KS_IDLE },
		{ empty_move, KT_MOVE, 1U << KS_IDLE | 1U << KS_GATHER },
		{ tls_frame, KT_WAIT, 1U << KS_LOGIN },
		{ bye_frame, KT_BYE, (1U << (KS_MOVE + 1)) - 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		for (unsigned st = KS_LOGIN; st <= KS_MOVE; st++) {
			bool good = (row[i].states >> st & 1) != 0;
			struct keepersession s =
				begin((enum keepersession_state)st);

			assert_int_equal(take(&s, row[i].make()),
					 good ? row[i].todo : KT_DROP);
			keepersession_release(&s);
		}
	}
}

static void a_malformed_frame_drops_the_channel(void **state)
{
	struct keepersession s = begin(KS_LOGIN);
	struct span whole = auth_frame();

	(void)state;
	for (size_t n = 0; n < whole.n; n++)
		assert_int_equal(take(&s, span_head(whole, n)), KT_DROP);
	assert_int_equal(s.attempts, 0);
	assert_int_equal(take(&s, whole), KT_AUTH);
	keepersession_release(&s);
}

static void logins_are_counted_whatever_came_of_them(void **state)
{
	struct keepersession s = begin(KS_LOGIN);

	(void)state;
	for (int i = 0; i < ATTEMPTS; i++) {
		assert_int_equal(take(&s, auth_frame()), KT_AUTH);
		assert_int_equal(s.state, KS_AUTH);
		keepersession_fail(&s);
		keepersession_rest(&s);
		assert_int_equal(s.state, KS_LOGIN);
	}
	assert_int_equal(take(&s, auth_frame()), KT_DROP);
	assert_string_equal(s.user, "bob@example.com");
	assert_string_equal(s.method, "USER");
	keepersession_release(&s);
}

static void tls_is_told_once(void **state)
{
	struct keepersession s = begin(KS_LOGIN);

	(void)state;
	assert_int_equal(take(&s, tls_frame()), KT_WAIT);
	assert_true(s.tls);
	assert_string_equal(s.tls_version, "TLSv1.3");
	assert_string_equal(s.tls_detail, "AES");
	assert_int_equal(take(&s, tls_frame()), KT_DROP);
	keepersession_release(&s);
}

/* The session has told the client already; one that asks is not itself. */
static void no_password_is_taken_in_clear_where_tls_is_needed(void **state)
{
	struct keepersession s = begin(KS_LOGIN);
	struct chan_auth a = { .mech = MECH_PLAIN,
			       .method = SPAN_LIT("USER"),
			       .user = SPAN_LIT("bob"),
			       .secret = SPAN_LIT("0123456789abcdef") };

	(void)state;
	s.told.needs_tls = true;
	assert_int_equal(take(&s, auth_frame()), KT_DROP);
	assert_int_equal(s.attempts, 0);
	a.tls = true;
	buf_reset(&frame);
	chan_put_auth(&frame, &a);
	assert_int_equal(take(&s, buf_span(&frame)), KT_AUTH);
	s.state = KS_LOGIN;
	a.tls = false;
	a.mech = MECH_APOP;
	buf_reset(&frame);
	chan_put_auth(&frame, &a);
	assert_int_equal(take(&s, buf_span(&frame)), KT_AUTH);
	keepersession_release(&s);
}

static void a_move_is_gathered_until_its_last_frame(void **state)
{
	struct keepersession s = begin(KS_IDLE);

	(void)state;
	assert_int_equal(take(&s, move_frame(false, 4)), KT_WAIT);
	assert_int_equal(take(&s, move_frame(false, 4)), KT_WAIT);
	assert_int_equal(take(&s, move_frame(true, 2)), KT_MOVE);
	assert_int_equal(s.nmove, 10);
	assert_int_equal(s.move[0], 1000);
	assert_int_equal(s.move[7], 1003);
	assert_int_equal(s.move[9], 1001);
	keepersession_rest(&s);
	assert_int_equal(s.state, KS_IDLE);
	assert_int_equal(s.nmove, 0);
	keepersession_release(&s);
}

static void no_more_is_moved_than_was_listed(void **state)
{
	struct keepersession s = begin(KS_IDLE);

	(void)state;
	assert_int_equal(take(&s, move_frame(false, 8)), KT_WAIT);
	assert_int_equal(take(&s, move_frame(true, 3)), KT_DROP);
	assert_int_equal(s.nmove, 8);
	keepersession_release(&s);
	s = begin(KS_IDLE);
	assert_int_equal(take(&s, move_frame(true, 11)), KT_DROP);
	keepersession_release(&s);
}

static void nothing_but_the_rest_may_follow_half_a_move(void **state)
{
	struct keepersession s = begin(KS_IDLE);

	(void)state;
	assert_int_equal(take(&s, move_frame(false, 1)), KT_WAIT);
	assert_int_equal(take(&s, read_frame()), KT_DROP);
	assert_int_equal(take(&s, bye_frame()), KT_BYE);
	keepersession_release(&s);
}

static void a_login_that_fails_in_its_list_leaves_nothing_bound(void **state)
{
	struct keepersession s = begin(KS_LOGIN);

	(void)state;
	assert_int_equal(take(&s, auth_frame()), KT_AUTH);
	keepersession_bind(&s, 42);
	assert_true(s.bound);
	assert_int_equal(s.state, KS_LIST);
	keepersession_fail(&s);
	keepersession_rest(&s);
	assert_false(s.bound);
	assert_int_equal(s.mailbox_id, 0);
	assert_int_equal(s.listed, 0);
	assert_int_equal(s.state, KS_LOGIN);
	keepersession_release(&s);
}

static void a_read_that_fails_leaves_the_login(void **state)
{
	struct keepersession s = begin(KS_IDLE);

	(void)state;
	s.mailbox_id = 42;
	s.more = true;
	assert_int_equal(take(&s, read_frame()), KT_READ);
	keepersession_fail(&s);
	keepersession_rest(&s);
	assert_true(s.bound);
	assert_int_equal(s.mailbox_id, 42);
	assert_int_equal(s.state, KS_IDLE);
	assert_false(s.more);
	keepersession_release(&s);
}

static void the_next_piece_begins_where_the_last_ended(void **state)
{
	struct keepersession s = begin(KS_IDLE);

	(void)state;
	assert_int_equal(take(&s, read_frame()), KT_READ);
	assert_false(s.begun);
	keepersession_advance(&s, 256);
	assert_true(s.begun);
	assert_int_equal(s.read.offset, 356);
	assert_int_equal(s.read.limit, 0);
	s.read.limit = 1000;
	keepersession_advance(&s, 600);
	assert_int_equal(s.read.offset, 956);
	assert_int_equal(s.read.limit, 400);
	keepersession_release(&s);
}

static void a_challenge_always_ends(void **state)
{
	struct keeper_session told;
	struct keepersession s;

	(void)state;
	memset(&told, 'x', sizeof(told));
	keepersession_init(&s, &told);
	assert_int_equal(strlen(s.told.challenge), KEEPER_CHALLENGE_MAX - 1);
	keepersession_release(&s);
}

static int release_frame(void **state)
{
	(void)state;
	buf_release(&frame);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			only_a_known_proxy_tells_another_address_and_once),
		cmocka_unit_test(every_request_has_its_states),
		cmocka_unit_test(a_malformed_frame_drops_the_channel),
		cmocka_unit_test(logins_are_counted_whatever_came_of_them),
		cmocka_unit_test(tls_is_told_once),
		cmocka_unit_test(
			no_password_is_taken_in_clear_where_tls_is_needed),
		cmocka_unit_test(a_move_is_gathered_until_its_last_frame),
		cmocka_unit_test(no_more_is_moved_than_was_listed),
		cmocka_unit_test(nothing_but_the_rest_may_follow_half_a_move),
		cmocka_unit_test(
			a_login_that_fails_in_its_list_leaves_nothing_bound),
		cmocka_unit_test(a_read_that_fails_leaves_the_login),
		cmocka_unit_test(the_next_piece_begins_where_the_last_ended),
		cmocka_unit_test(a_challenge_always_ends),
	};

	return cmocka_run_group_tests(tests, NULL, release_frame);
}
