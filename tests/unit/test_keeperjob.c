/* tests/unit/test_keeperjob.c: what the workers make of the database's
 * answers. */
#include "tests/unit/keeperdrop.h"

#include <stdlib.h>

#include "lib/clock.h"

/* Whether pieces are read narrowly. */
static bool narrow;

static int begin(void **state)
{
	narrow = false;
	return begin_drop(state);
}

static void an_empty_mailbox_is_two_frames(void **state)
{
	struct keeperjob *j = job(KJ_OPEN);
	size_t at = 0;

	(void)state;
	run(j);
	assert_false(j->failed);
	assert_int_equal(j->mailbox_id, MAILBOX);
	want(j, &at, CHAN_GRANTED);
	want(j, &at, CHAN_LIST_END);
	want_end(j, at);
	keeperjob_free(&j);
}

/* Counts the entries of a page and checks their order. */
static uint64_t count_list(const struct keeperjob *j, size_t *at, bool last)
{
	struct chan_list_entry e;
	struct chan_reply r;
	uint64_t n = 0, uid = j->last_uid - j->count;

	while (reply(j, at, &r) && r.type == CHAN_LIST) {
		for (uint64_t i = 0; i < r.count; i++, n++) {
			assert_true(chan_list_next(&r, &e));
			assert_int_equal(e.uid, ++uid);
			assert_int_equal(e.octets, 10 * uid);
		}
	}
	assert_int_equal(r.type, last ? CHAN_LIST_END : CHAN_LIST);
	return n;
}

static void a_long_list_comes_in_pages(void **state)
{
	uint64_t listed, after;
	size_t at = 0;
	struct keeperjob *j = job(KJ_OPEN);

	(void)state;
	base.mails = 5000;
	run(j);
	want(j, &at, CHAN_GRANTED);
	assert_true(j->more);
	listed = count_list(j, &at, false);
	assert_int_equal(listed, j->count);
	while (j->more) {
		after = j->last_uid;
		keeperjob_free(&j);
		j = job(KJ_LIST);
		j->u.after = after;
		j->blank_line = !base.blank_line;
		run(j);
		assert_int_equal(base.blank_line, j->blank_line);
		at = 0;
		listed += count_list(j, &at, !j->more);
	}
	want_end(j, at);
	assert_int_equal(listed, 5000);
	keeperjob_free(&j);
}

/* Appends the DATA frames to b; the reply behind them is in r. */
static bool collect(const struct keeperjob *j, size_t *at, struct buf *b,
		    struct chan_reply *r)
{
	bool any;

	while ((any = reply(j, at, r)) && r->type == CHAN_DATA)
		buf_put_span(b, r->data);
	return any;
}

static void read_all(uint64_t offset, uint64_t limit, uint64_t end,
		     unsigned pieces)
{
	struct chan_read what = { .offset = offset, .limit = limit, .n = 1 };
	struct buf b = BUF_INIT(FRAMES_MAX);
	struct chan_reply r = { .type = CHAN_DATA };
	bool begun = false, more = true;
	unsigned n = 0;

	what.uid[0] = UID_BIG;
	while (more) {
		struct keeperjob *j = job(KJ_READ);
		size_t at = 0;

		j->u.read.what = what;
		j->u.read.begun = begun;
		j->narrow = narrow;
		run(j);
		assert_false(j->failed);
		if (!begun)
			want(j, &at, CHAN_MAIL);
		assert_int_equal(collect(j, &at, &b, &r), !j->more);
		begun = true;
		more = j->more;
		what.offset += j->count;
		what.limit -= what.limit ? j->count : 0;
		n++;
		keeperjob_free(&j);
	}
	assert_int_equal(r.type, CHAN_READ_END);
	assert_int_equal(n, pieces);
	assert_int_equal(b.n, end - offset);
	assert_memory_equal(b.n ? b.p : "", octets + offset, b.n);
	buf_release(&b);
}

static void a_mail_comes_in_pieces(void **state)
{
	(void)state;
	read_all(0, 0, BIG, 3);
	read_all(1, 0, BIG, 3);
	read_all(BIG - 1, 0, BIG, 1);
	read_all(BIG, 0, BIG, 1);
	read_all(10, 20, 30, 1);
	read_all(0, CHUNK, CHUNK, 1);
	read_all(0, CHUNK + 1, CHUNK + 1, 2);
	read_all(0, BIG + 1, BIG, 3);
}

static void a_mail_that_is_gone_is_told(void **state)
{
	struct keeperjob *j = job(KJ_READ);
	struct chan_reply r;
	size_t at = 0;

	(void)state;
	j->u.read.what = (struct chan_read){ .n = 1, .uid = { 404 } };
	run(j);
	assert_true(reply(j, &at, &r));
	assert_int_equal(r.type, CHAN_GONE);
	assert_int_equal(r.uid, 404);
	want(j, &at, CHAN_READ_END);
	want_end(j, at);
	keeperjob_free(&j);
}

static void a_mail_that_goes_while_it_is_read_is_our_trouble(void **state)
{
	struct keeperjob *j = job(KJ_READ);

	(void)state;
	j->u.read.what =
		(struct chan_read){ .offset = 5, .n = 1, .uid = { 404 } };
	j->u.read.begun = true;
	run(j);
	want_temp(j);
	keeperjob_free(&j);
}

static void a_mail_with_too_little_content_never_loops(void **state)
{
	struct keeperjob *j = job(KJ_READ);

	(void)state;
	j->u.read.what =
		(struct chan_read){ .offset = 9, .n = 1, .uid = { UID_SHORT } };
	j->u.read.begun = true;
	run(j);
	want_temp(j);
	keeperjob_free(&j);
}

static void several_mails_come_in_the_order_of_the_request(void **state)
{
	static const uint64_t uid[] = { 5, UID_TRASH, 404, 3, 5 };
	struct keeperjob *j = job(KJ_READ_MANY);
	struct buf b = BUF_INIT(FRAMES_MAX);
	struct chan_reply r = { .type = CHAN_DATA };
	size_t at = 0;

	(void)state;
	j->u.read.what = (struct chan_read){ .n = COUNT(uid) };
	memcpy(j->u.read.what.uid, uid, sizeof(uid));
	run(j);
	assert_false(j->failed);
	assert_true(reply(j, &at, &r));
	for (size_t i = 0; i < COUNT(uid); i++) {
		assert_int_equal(r.uid, uid[i]);
		assert_int_equal(r.type, uid[i] == 404 ? CHAN_GONE : CHAN_MAIL);
		buf_reset(&b);
		assert_true(collect(j, &at, &b, &r));
		assert_int_equal(b.n, uid[i] == 404 ? 0 : SMALL_OCTETS);
		assert_memory_equal(b.n ? b.p : "", octets, b.n);
	}
	assert_int_equal(r.type, CHAN_READ_END);
	want_end(j, at);
	buf_release(&b);
	keeperjob_free(&j);
}

static void want_uid(const struct keeperjob *j, size_t *at,
		     enum chan_reply_type type, uint64_t uid)
{
	struct chan_reply r;

	do
		assert_true(reply(j, at, &r));
	while (r.type == CHAN_DATA);
	assert_int_equal(r.type, type);
	assert_int_equal(r.uid, uid);
}

static void a_damaged_mail_is_told_and_its_neighbours_come(void **state)
{
	struct keeperjob *j = job(KJ_READ_MANY);
	size_t at = 0;

	(void)state;
	j->u.read.what =
		(struct chan_read){ .n = 3, .uid = { 1, UID_DAMAGED, 2 } };
	run(j);
	assert_false(j->failed);
	want_uid(j, &at, CHAN_MAIL, 1);
	want_uid(j, &at, CHAN_DAMAGED, UID_DAMAGED);
	want_uid(j, &at, CHAN_MAIL, 2);
	keeperjob_free(&j);
	j = job(KJ_READ);
	j->u.read.what = (struct chan_read){ .n = 1, .uid = { UID_DAMAGED } };
	run(j);
	at = 0;
	want_uid(j, &at, CHAN_DAMAGED, UID_DAMAGED);
	want(j, &at, CHAN_READ_END);
	want_end(j, at);
	keeperjob_free(&j);
}

static void a_mail_found_damaged_when_it_has_begun_is_our_trouble(void **state)
{
	struct keeperjob *j = job(KJ_READ);

	(void)state;
	j->u.read.what = (struct chan_read){ .offset = 5,
					     .n = 1,
					     .uid = { UID_DAMAGED } };
	j->u.read.begun = true;
	run(j);
	want_temp(j);
	keeperjob_free(&j);
}

static void a_limit_holds_for_each_of_several(void **state)
{
	struct keeperjob *j = job(KJ_READ_MANY);
	struct buf b = BUF_INIT(FRAMES_MAX);
	struct chan_reply r;
	size_t at = 0;

	(void)state;
	j->u.read.what = (struct chan_read){ .limit = 7,
					     .n = 2,
					     .uid = { 1, UID_TRASH } };
	run(j);
	assert_true(reply(j, &at, &r));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(r.octets, SMALL_OCTETS);
		buf_reset(&b);
		assert_true(collect(j, &at, &b, &r));
		assert_int_equal(b.n, 7);
	}
	buf_release(&b);
	keeperjob_free(&j);
}

/* 64 mails of 100,000 octets are asked for at once. */
static void what_is_read_ahead_is_bounded(void **state)
{
	struct keeperjob *j = job(KJ_READ_MANY);
	struct buf b = BUF_INIT(64 * MIDDLE);
	struct chan_reply r;
	unsigned mails = 0;
	size_t at = 0;

	(void)state;
	j->u.read.what.n = CHAN_READ_MAX;
	for (size_t i = 0; i < CHAN_READ_MAX; i++)
		j->u.read.what.uid[i] = MIDDLE + i;
	run(j);
	assert_false(j->failed);
	assert_true(j->out.b.n <= keeperjob_reserve(j));
	assert_true(reply(j, &at, &r));
	while (r.type == CHAN_MAIL) {
		mails++;
		assert_int_equal(r.octets, MIDDLE);
		assert_true(collect(j, &at, &b, &r));
	}
	assert_int_equal(mails, CHAN_READ_MAX);
	assert_int_equal(b.n % MIDDLE, 0);
	assert_true(b.n >= MIDDLE);
	buf_release(&b);
	keeperjob_free(&j);
}

/* What an empty channel takes at once: the socket's default is more. */
enum { CHANNEL_OCTETS = 150000 };

static void a_narrow_answer_fits_in_the_channel(void **state)
{
	static const enum keeperjob_kind kind[] = { KJ_LIST, KJ_READ,
						    KJ_READ_MANY };

	(void)state;
	base.mails = 5000;
	for (size_t i = 0; i < COUNT(kind); i++) {
		struct keeperjob *j = job(kind[i]);

		j->narrow = true;
		if (kind[i] == KJ_READ)
			j->u.read.what.uid[0] = UID_BIG;
		if (kind[i] != KJ_LIST)
			j->u.read.what.n = kind[i] == KJ_READ ? 1 : 3;
		for (size_t m = 0; kind[i] == KJ_READ_MANY && m < 3; m++)
			j->u.read.what.uid[m] = MIDDLE + m;
		run(j);
		assert_false(j->failed);
		assert_int_equal(j->more, kind[i] != KJ_READ_MANY);
		assert_true(j->out.b.n <= keeperjob_reserve(j));
		assert_true(j->out.b.n <= CHANNEL_OCTETS);
		keeperjob_free(&j);
	}
}

static void narrow_pieces_make_the_same_mail(void **state)
{
	(void)state;
	narrow = true;
	read_all(0, 0, BIG, 10);
	read_all(0, CHUNK, CHUNK, 5);
	read_all(10, 20, 30, 1);
}

static struct keeperjob *move_job(void)
{
	static const uint64_t uid[] = { 30, 10, 20 };
	struct keeperjob *j = job(KJ_MOVE);

	j->u.move.uid = malloc(sizeof(uid));
	assert_non_null(j->u.move.uid);
	memcpy(j->u.move.uid, uid, sizeof(uid));
	j->u.move.n = COUNT(uid);
	(void)snprintf(j->u.move.who, sizeof(j->u.move.who), "bob");
	(void)snprintf(j->u.move.from, sizeof(j->u.move.from), "192.0.2.1");
	return j;
}

static void a_move_says_who_and_from_where(void **state)
{
	struct keeperjob *j = move_job();
	struct chan_reply r;
	size_t at = 0;

	(void)state;
	run(j);
	assert_true(reply(j, &at, &r));
	assert_int_equal(r.type, CHAN_MOVED);
	assert_int_equal(r.count, 3);
	want_end(j, at);
	assert_int_equal(base.nmoved, 3);
	assert_memory_equal(base.moved, j->u.move.uid, 3 * sizeof(uint64_t));
	assert_string_equal(base.who, "bob");
	assert_string_equal(base.from, "192.0.2.1");
	keeperjob_free(&j);
}

/* maildrop_move() has replayed it already. */
static void a_move_is_not_replayed_again(void **state)
{
	static const enum db_result row[] = { DB_RETRY, DB_DOWN, DB_OURS };

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct keeperjob *j = move_job();

		base.calls = 0;
		base.result[0] = row[i];
		run(j);
		want_temp(j);
		assert_int_equal(base.calls, 1);
		keeperjob_free(&j);
	}
}

static void a_read_is_replayed_while_that_helps(void **state)
{
	static const struct {
		enum db_result result[8];
		size_t calls;
		bool failed;
	} row[] = {
		{ { DB_OK }, 1, false },
		{ { DB_RETRY, DB_RETRY, DB_OK }, 3, false },
		{ { DB_DOWN, DB_OK }, 1, true },
		{ { DB_OURS, DB_OK }, 1, true },
		{ { DB_RETRY, DB_RETRY, DB_RETRY, DB_RETRY, DB_RETRY, DB_OK },
		  5,
		  true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct keeperjob *j = job(KJ_OPEN);
		size_t at = 0;

		base.calls = 0;
		memcpy(base.result, row[i].result, sizeof(base.result));
		run(j);
		assert_int_equal(base.calls, row[i].calls);
		if (row[i].failed) {
			want_temp(j);
		} else {
			want(j, &at, CHAN_GRANTED);
			want(j, &at, CHAN_LIST_END);
			want_end(j, at);
		}
		keeperjob_free(&j);
	}
}

static void a_job_that_waited_too_long_is_not_begun(void **state)
{
	struct keeperjob *j = move_job();

	(void)state;
	j->deadline = clock_ms();
	run(j);
	want_temp(j);
	assert_int_equal(base.calls, 0);
	keeperjob_free(&j);
}

#define TEST(f) cmocka_unit_test_setup(f, begin)

static const struct lease_owner owner = { "here", { 1 } };

static struct keeperjob *exclusive_open(void)
{
	struct keeperjob *j = job(KJ_OPEN);

	j->owner = &owner;
	j->u.open.days = 30;
	base.box = MAILBOX;
	base.fence = 7;
	return j;
}

static void the_lease_comes_before_the_list(void **state)
{
	struct keeperjob *j = exclusive_open();
	struct chan_reply r;
	size_t at = 0;

	(void)state;
	base.mails = 3;
	run(j);
	assert_false(j->failed);
	assert_int_equal(j->lease.fence, 7);
	assert_int_equal(j->lease.mailbox_id, MAILBOX);
	assert_true(reply(j, &at, &r));
	assert_true(r.grant.exclusive);
	assert_int_equal(r.grant.expire_days, 37); /* the database's word */
	keeperjob_free(&j);
}

static void who_gets_no_lease_gets_no_list(void **state)
{
	struct keeperjob *j = exclusive_open();

	(void)state;
	base.fence = 0;
	run(j);
	assert_true(j->locked);
	assert_false(j->failed);
	want_end(j, 0);
	keeperjob_free(&j);
}

/* What a try before took is ours; a mailbox made behind it is taken too. */
static void a_lease_is_taken_once_and_of_the_right_mailbox(void **state)
{
	struct keeperjob *j = exclusive_open();

	(void)state;
	base.result[2] = DB_RETRY; /* the list */
	run(j);
	assert_false(j->failed);
	assert_int_equal(base.takes, 1);
	assert_int_equal(j->lease.fence, 7);
	keeperjob_free(&j);
	j = exclusive_open();
	base.box = 0;
	run(j);
	assert_true(j->failed);
	assert_int_equal(j->lease.fence, 0);
	keeperjob_free(&j);
}

/* The loop gives back what may have been taken. */
static void a_taking_in_doubt_keeps_its_claim(void **state)
{
	struct keeperjob *j = exclusive_open();

	(void)state;
	base.fence = 0;
	base.result[1] = DB_RETRY;
	base.result[3] = DB_DOWN;
	run(j);
	assert_true(j->failed);
	assert_int_equal(base.takes, 2);
	assert_int_equal(base.claim, 1);
	assert_int_equal(j->lease.claim, 1);
	assert_int_equal(j->lease.mailbox_id, MAILBOX);
	keeperjob_free(&j);
}

static void a_lost_lease_is_our_trouble(void **state)
{
	struct keeperjob *j = job(KJ_MOVE);

	(void)state;
	j->owner = &owner;
	j->lease = (struct lease){ MAILBOX, 7, 1 };
	base.lost = true;
	run(j);
	want_temp(j);
	keeperjob_free(&j);
}

static void a_renewal_tells_what_is_lost(void **state)
{
	struct keeperjob *j = job(KJ_RENEW);

	(void)state;
	j->owner = &owner;
	j->u.renew.n = 3;
	j->u.renew.one = calloc(3, sizeof(*j->u.renew.one));
	assert_non_null(j->u.renew.one);
	base.fence = 2;
	for (size_t i = 0; i < 3; i++)
		j->u.renew.one[i].lease = (struct lease){ i, i + 1, i };
	run(j);
	assert_false(j->failed);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(j->u.renew.one[i].lease.fence,
				 i == 1 ? 0 : i + 1);
	keeperjob_free(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_mailbox_is_two_frames),
		TEST(a_long_list_comes_in_pages),
		TEST(a_mail_comes_in_pieces),
		TEST(a_mail_that_is_gone_is_told),
		TEST(a_mail_that_goes_while_it_is_read_is_our_trouble),
		TEST(a_mail_with_too_little_content_never_loops),
		TEST(several_mails_come_in_the_order_of_the_request),
		TEST(a_damaged_mail_is_told_and_its_neighbours_come),
		TEST(a_mail_found_damaged_when_it_has_begun_is_our_trouble),
		TEST(a_limit_holds_for_each_of_several),
		TEST(what_is_read_ahead_is_bounded),
		TEST(a_narrow_answer_fits_in_the_channel),
		TEST(narrow_pieces_make_the_same_mail),
		TEST(a_move_says_who_and_from_where),
		TEST(a_move_is_not_replayed_again),
		TEST(a_read_is_replayed_while_that_helps),
		TEST(a_job_that_waited_too_long_is_not_begun),
		TEST(the_lease_comes_before_the_list),
		TEST(who_gets_no_lease_gets_no_list),
		TEST(a_lease_is_taken_once_and_of_the_right_mailbox),
		TEST(a_taking_in_doubt_keeps_its_claim),
		TEST(a_lost_lease_is_our_trouble),
		TEST(a_renewal_tells_what_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
