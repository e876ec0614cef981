/* tests/unit/test_keeperchannel.c: channels of the keeper's loop without its
 * parent, its workers and time: the test plays them, and the sessions. */
#include "pop3d/keeperchannel.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "pop3d/keeperloop.h"
#include "pop3d/keeperstop.h"
#include "tests/unit/wire.h"

enum { MAILBOX = 42, JOBS = 32 };

static struct {
	struct conf *conf;
	struct keeperloop loop;
	int control[2], event;
	int session; /* our end of the channel */
	struct channel *c;
	int64_t ahead; /* time that has gone, in milliseconds */
	struct keeperjob *job;
	unsigned times; /* that were counted */
} t;

int64_t __real_clock_ms(void);
int64_t __wrap_clock_ms(void);
void __wrap_keeperworkers_put(struct keeperworkers *w, struct keeperjob *j);
void __wrap_metric_add_time(enum metric_id m, int64_t since);

int64_t __wrap_clock_ms(void)
{
	return __real_clock_ms() + t.ahead;
}

void __wrap_keeperworkers_put(struct keeperworkers *w, struct keeperjob *j)
{
	(void)w;
	assert_null(t.job);
	t.job = j;
}

void __wrap_metric_add_time(enum metric_id m, int64_t since)
{
	(void)since;
	assert_int_equal(metrics[m].kind, METRIC_IS_SECONDS);
	t.times++;
}

static void open_channel(void)
{
	const struct keeper_session told = { .id = 1, .proxy = true };
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	t.session = fd[0];
	channel_open(&t.loop, &told, fd[1]);
	assert_int_equal(t.loop.channels, 1);
	t.c = t.loop.slot[0].channel;
}

static int begin(void **state)
{
	struct buf problems = BUF_INIT(4096);
	struct keeperloop_fds fds;

	(void)state;
	memset(&t, 0, sizeof(t));
	log_off();
	t.conf = conf_parse(NULL, 0, &problems);
	buf_release(&problems);
	t.event = eventfd(0, EFD_CLOEXEC);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, t.control) != 0)
		return -1;
	fds = (struct keeperloop_fds){ .control = t.control[0],
				       .console = -1,
				       .signals = t.control[1],
				       .wake = t.event };
	if (!t.conf || !keeperloop_init(&t.loop, t.conf, &fds))
		return -1;
	open_channel();
	return 0;
}

static int end(void **state)
{
	(void)state;
	keeperjob_free(&t.job);
	keeperloop_release(&t.loop);
	conf_unref(&t.conf);
	close(t.session);
	close(t.control[0]);
	close(t.control[1]);
	return close(t.event);
}

static void log_in(void)
{
	keepersession_bind(&t.c->s, MAILBOX);
	keepersession_rest(&t.c->s);
	t.c->s.listed = 10;
}

static bool is_open(void)
{
	return t.loop.channels == 1;
}

static void ask(struct buf *b)
{
	assert_true(buf_ok(b));
	assert_int_equal(send(t.session, b->p, b->n, 0), b->n);
	buf_release(b);
	channel_readable(&t.loop, t.c);
}

static void ask_read(void)
{
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);

	chan_put_read(&b, &(const struct chan_read){ .n = 1, .uid = { 7 } });
	ask(&b);
}

static void ask_move(bool last)
{
	const uint64_t uid = 7;
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);

	chan_put_move(&b, last, &uid, 1);
	ask(&b);
}

/* The workers have done what was asked. */
static void answer(enum chan_reply_type type)
{
	assert_non_null(t.job);
	t.loop.buffered -= keeperjob_reserve(t.job);
	if (type == CHAN_MOVED)
		chan_put_moved(frames_begin(&t.job->out), 1);
	else
		chan_put_simple(frames_begin(&t.job->out), type);
	frames_end(&t.job->out);
	channel_answered(&t.loop, t.c, t.job);
	keeperjob_free(&t.job);
}

static void hear(enum chan_reply_type type)
{
	static char frame[CHAN_FRAME_MAX];
	ssize_t n = recv(t.session, frame, sizeof(frame), MSG_DONTWAIT);
	struct chan_reply r;

	assert_true(n > 0);
	assert_true(chan_parse_reply(span_make(frame, (size_t)n), &r));
	assert_int_equal(r.type, type);
}

static void hear_the_end(void)
{
	char c;

	assert_false(is_open());
	assert_int_equal(recv(t.session, &c, 1, MSG_DONTWAIT), 0);
	assert_null(t.job);
	assert_int_equal(t.loop.told, 0);
}

static void stop_it(void)
{
	log_in();
	channel_stop(&t.loop, t.c, CHAN_END_KICKED);
	hear(CHAN_STOP);
}

static void wait_for(int64_t ms)
{
	t.ahead += ms;
	keeperstop_expire(&t.loop, clock_ms());
}

static void an_address_that_was_told_is_no_time_of_anything(void **state)
{
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);

	(void)state;
	chan_put_peer(&b, &(const struct chan_peer){ .note = SPAN_EMPTY });
	ask(&b);
	hear(CHAN_PEER_TAKEN);
	assert_int_equal(t.times, 0);
	log_in();
	ask_read();
	answer(CHAN_READ_END);
	assert_int_equal(t.times, 1);
}

static void what_crossed_the_end_is_answered(void **state)
{
	(void)state;
	stop_it();
	ask_read();
	answer(CHAN_READ_END);
	hear(CHAN_READ_END);
	ask_read(); /* the rest of a TOP */
	answer(CHAN_READ_END);
	hear(CHAN_READ_END);
	assert_true(is_open());
}

static void a_quit_that_crossed_the_end_is_done(void **state)
{
	(void)state;
	stop_it();
	ask_move(false);
	ask_move(true);
	answer(CHAN_MOVED);
	hear(CHAN_MOVED);
	assert_true(is_open());
	ask_read();
	hear_the_end();
}

static void nobody_moves_twice_after_the_end(void **state)
{
	(void)state;
	stop_it();
	ask_move(true);
	answer(CHAN_MOVED);
	hear(CHAN_MOVED);
	ask_move(true);
	hear_the_end();
}

static void nobody_reads_and_moves_after_the_end(void **state)
{
	(void)state;
	stop_it();
	ask_read();
	answer(CHAN_READ_END);
	hear(CHAN_READ_END);
	ask_move(true);
	hear_the_end();
}

static void nobody_reads_without_end_after_the_end(void **state)
{
	unsigned reads = 0;

	(void)state;
	stop_it();
	for (;;) {
		ask_read();
		if (!is_open())
			break;
		reads++;
		answer(CHAN_READ_END);
		hear(CHAN_READ_END);
		assert_true(reads < JOBS);
	}
	assert_int_equal(reads, KEEPERSTOP_READS);
	hear_the_end();
}

static void who_is_told_to_end_and_does_not_is_closed(void **state)
{
	(void)state;
	stop_it();
	wait_for(KEEPERSTOP_MS - 1000);
	assert_true(is_open());
	wait_for(2000);
	hear_the_end();
}

static void half_a_quit_is_no_way_to_stay(void **state)
{
	(void)state;
	stop_it();
	ask_move(false);
	wait_for(KEEPERSTOP_MS + 1000);
	hear_the_end();
}

/* A client may take it slowly; then its session has time to end. */
static void what_is_in_flight_is_not_cut_off(void **state)
{
	(void)state;
	stop_it();
	ask_read();
	wait_for(KEEPERSTOP_MS + 1000);
	assert_true(is_open());
	answer(CHAN_READ_END);
	hear(CHAN_READ_END);
	wait_for(KEEPERSTOP_MS - 1000);
	assert_true(is_open());
	wait_for(2000);
	hear_the_end();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(an_address_that_was_told_is_no_time_of_anything),
		TEST(what_crossed_the_end_is_answered),
		TEST(a_quit_that_crossed_the_end_is_done),
		TEST(nobody_moves_twice_after_the_end),
		TEST(nobody_reads_and_moves_after_the_end),
		TEST(nobody_reads_without_end_after_the_end),
		TEST(who_is_told_to_end_and_does_not_is_closed),
		TEST(half_a_quit_is_no_way_to_stay),
		TEST(what_is_in_flight_is_not_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
