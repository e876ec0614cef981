/* tests/unit/test_session.c: the timers of a session process, with a clock
 * that we turn: the process runs as it is, between a client and a keeper that
 * we play. */
#include "pop3d/session.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/chan.h"
#include "tests/unit/wire.h"

enum { MINUTE = 60000, BIG = 100000, SNDBUF = 4096, LOOK_MS = 2 };

/* Shared with the session. */
static struct {
	_Atomic int64_t ahead;  /* by how many milliseconds time has gone */
	_Atomic unsigned looks; /* times it waited and nothing was there */
} * shared;

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);
int __real_ppoll(struct pollfd *p, nfds_t n, const struct timespec *t,
		 const sigset_t *mask);
int __wrap_ppoll(struct pollfd *p, nfds_t n, const struct timespec *t,
		 const sigset_t *mask);

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	int r = __real_clock_gettime(id, t);

	t->tv_sec += shared->ahead / 1000;
	return r;
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)__wrap_clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits as long as the turned clock says. */
int __wrap_ppoll(struct pollfd *p, nfds_t n, const struct timespec *t,
		 const sigset_t *mask)
{
	const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
	int64_t end =
		now_ms() + (int64_t)t->tv_sec * 1000 + t->tv_nsec / 1000000;
	int r;

	do {
		r = __real_ppoll(p, n, &look, mask);
		shared->looks += r == 0;
	} while (r == 0 && now_ms() < end);
	return r;
}

static int client, keeper;
static pid_t session;

static int set_up(void **state)
{
	struct buf problems = BUF_INIT(4096);
	struct conf *c = conf_parse(NULL, 0, &problems);
	int fd[4];

	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!c || shared == MAP_FAILED ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd + 2) != 0)
		return -1;
	(void)setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &(int){ SNDBUF },
			 sizeof(int));
	(void)alarm(60); /* should it hang */
	session = fork();
	if (session == 0)
		session_main(&(struct session_start){
			.client = fd[1],
			.channel = fd[3],
			.conf = c,
			.challenge = "",
		});
	close(fd[1]);
	close(fd[3]);
	client = fd[0];
	keeper = fd[2];
	conf_unref(&c);
	buf_release(&problems);
	return session < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(client);
	close(keeper);
	if (session > 0)
		(void)waitpid(session, NULL, 0);
	return munmap(shared, sizeof(*shared));
}

/* Until the session waits and nothing is there for it, or it is gone. */
static void let_it_wait(void)
{
	struct pollfd p = { .fd = client, .events = POLLRDHUP };
	unsigned before = shared->looks;

	while (shared->looks - before < 2 && poll(&p, 1, LOOK_MS) == 0)
		;
}

/* What it did before is done, and then it has seen what time it is. */
static void turn_clock(int64_t ms)
{
	let_it_wait();
	shared->ahead += ms;
	let_it_wait();
}

static void send_line(const char *line)
{
	assert_int_equal(send(client, line, strlen(line), MSG_NOSIGNAL),
			 strlen(line));
}

/* Blocks until the client has these octets. */
static void hear(const char *want)
{
	char got[256];
	size_t n = strlen(want);

	assert_true(n < sizeof(got));
	for (size_t at = 0; at < n;) {
		ssize_t r = recv(client, got + at, n - at, 0);

		assert_true(r > 0);
		at += (size_t)r;
	}
	assert_memory_equal(got, want, n);
}

static void hear_the_end(void)
{
	char c;

	assert_int_equal(recv(client, &c, 1, 0), 0);
}

/* Who ends with frames of ours unread leaves ECONNRESET before its last. */
static struct chan_request hear_request(void)
{
	static char frame[CHAN_FRAME_MAX];
	struct chan_request r;
	ssize_t n;

	do
		n = recv(keeper, frame, sizeof(frame), 0);
	while (n < 0 && errno == ECONNRESET);
	assert_true(n > 0);
	assert_true(chan_parse_request(span_make(frame, (size_t)n), &r));
	return r;
}

static void say_frame(struct buf *b)
{
	assert_true(buf_ok(b));
	assert_int_equal(send(keeper, b->p, b->n, MSG_NOSIGNAL), b->n);
	buf_reset(b);
}

static void log_in(void)
{
	const struct chan_list_entry e = { 1, BIG, SPAN_LIT("u1") };
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);
	struct chan_list l;

	hear("+OK Mailrow POP3 ready\r\n");
	send_line("USER bob\r\nPASS x\r\n");
	assert_int_equal(hear_request().type, CHAN_AUTH);
	chan_put_granted(&b, &(const struct chan_grant){ 0 });
	say_frame(&b);
	chan_list_begin(&l, &b);
	assert_true(chan_list_add(&l, &e));
	chan_list_end(&l);
	say_frame(&b);
	chan_put_simple(&b, CHAN_LIST_END);
	say_frame(&b);
	hear("+OK\r\n+OK 1 message\r\n");
	buf_release(&b);
}

static void expect_bye(enum chan_end end)
{
	struct chan_request r = hear_request();

	assert_int_equal(r.type, CHAN_BYE);
	assert_string_equal(chan_end_text(r.u.bye.end), chan_end_text(end));
}

static void rule_38_ten_minutes_of_silence_end_it_without_update(void **state)
{
	(void)state;
	log_in();
	send_line("DELE 1\r\n");
	hear("+OK\r\n");
	turn_clock(10 * MINUTE - 5000);
	send_line("NOOP\r\n");
	hear("+OK\r\n");
	turn_clock(10 * MINUTE - 5000);
	send_line("NOOP\r\n");
	hear("+OK\r\n");
	turn_clock(10 * MINUTE + 1000);
	hear_the_end();
	expect_bye(CHAN_END_IDLE); /* and no MOVE */
}

/* What the keeper holds is sent as the session takes it. */
static void feed_mail(struct buf *b, size_t *left)
{
	static char text[CHAN_FRAME_MAX - 1];

	while (*left) {
		size_t n = *left < sizeof(text) ? *left : sizeof(text);

		memset(text, 'x', sizeof(text));
		if (n == *left)
			memcpy(text + n - 2, "\r\n", 2);
		buf_reset(b);
		chan_put_data(b, span_make(text, n));
		if (send(keeper, b->p, b->n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			return;
		*left -= n;
	}
}

/* What waits, but at most a sixth of all: the session has written it now. */
static size_t drain(void)
{
	static char text[BIG / 6];
	struct pollfd p = { .fd = client, .events = POLLIN };
	size_t total = 0;
	ssize_t n;

	assert_int_equal(poll(&p, 1, 30000), 1);
	while (total < sizeof(text) &&
	       (n = recv(client, text, sizeof(text) - total, MSG_DONTWAIT)) > 0)
		total += (size_t)n;
	return total;
}

static void rule_38_a_slow_retr_is_not_idle(void **state)
{
	const size_t all = sizeof("+OK 100000 octets\r\n.\r\n") - 1 + BIG;
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);
	size_t left = BIG, got = 0, turns = 0;

	(void)state;
	log_in();
	send_line("RETR 1\r\n");
	assert_int_equal(hear_request().type, CHAN_READ);
	chan_put_mail(&b, 1, BIG);
	say_frame(&b);
	for (; got < all; turns++) {
		feed_mail(&b, &left);
		got += drain();
		turn_clock(4 * MINUTE);
	}
	assert_int_equal(got, all);
	assert_true(turns >= 5); /* that is twenty minutes */
	buf_reset(&b);
	chan_put_simple(&b, CHAN_READ_END);
	say_frame(&b);
	send_line("NOOP\r\n");
	hear("+OK\r\n");
	buf_release(&b);
}

/* RETR, DELE and QUIT in one; the keeper is asked for the mail. */
static void ask_ahead(void)
{
	log_in();
	send_line("RETR 1\r\nDELE 1\r\nQUIT\r\n");
	assert_int_equal(hear_request().type, CHAN_READ);
}

/* More than the client's socket takes. */
enum { MIDDLE = 40000 };

static void answer_read(void)
{
	static char text[MIDDLE];
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);

	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(text) - 2, "\r\n", 2);
	chan_put_mail(&b, 1, sizeof(text));
	say_frame(&b);
	chan_put_data(&b, span_make(text, sizeof(text)));
	say_frame(&b);
	chan_put_simple(&b, CHAN_READ_END);
	(void)send(keeper, b.p, b.n, MSG_NOSIGNAL);
	buf_release(&b);
}

static void hang_up(void)
{
	close(client);
	client = -1;
}

static void who_left_while_his_mail_was_fetched_loses_nothing(void **state)
{
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);

	(void)state;
	ask_ahead();
	chan_put_mail(&b, 1, 3);
	say_frame(&b);
	let_it_wait();
	hang_up();
	chan_put_data(&b, SPAN_LIT("a\r\n"));
	(void)send(keeper, b.p, b.n, MSG_NOSIGNAL);
	buf_reset(&b);
	chan_put_simple(&b, CHAN_READ_END);
	(void)send(keeper, b.p, b.n, MSG_NOSIGNAL);
	expect_bye(CHAN_END_CLOSED); /* and no MOVE */
	buf_release(&b);
}

static void who_left_amid_an_answer_loses_nothing(void **state)
{
	(void)state;
	ask_ahead();
	answer_read();
	hear("+OK 40000 octets\r\n");
	let_it_wait();
	hang_up();
	expect_bye(CHAN_END_CLOSED); /* and no MOVE */
}

static void who_took_his_mail_and_asked_ahead_has_it_deleted(void **state)
{
	const size_t all =
		sizeof("+OK 40000 octets\r\n.\r\n+OK\r\n") - 1 + MIDDLE;
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);

	(void)state;
	ask_ahead();
	answer_read();
	for (size_t got = 0; got < all;)
		got += drain();
	assert_int_equal(hear_request().type, CHAN_MOVE);
	chan_put_moved(&b, 1);
	say_frame(&b);
	hear("+OK\r\n");
	hear_the_end();
	expect_bye(CHAN_END_QUIT);
	buf_release(&b);
}

/* login_timeout is a minute by default. */
static void rule_46_who_talks_and_does_not_log_in_is_sent_away(void **state)
{
	(void)state;
	hear("+OK Mailrow POP3 ready\r\n");
	turn_clock(MINUTE - 5000);
	send_line("UTF8\r\n");
	hear("+OK\r\n");
	turn_clock(6000);
	hear_the_end();
	expect_bye(CHAN_END_LOGIN_TIMEOUT);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(rule_38_ten_minutes_of_silence_end_it_without_update),
		TEST(rule_38_a_slow_retr_is_not_idle),
		TEST(who_left_while_his_mail_was_fetched_loses_nothing),
		TEST(who_left_amid_an_answer_loses_nothing),
		TEST(who_took_his_mail_and_asked_ahead_has_it_deleted),
		TEST(rule_46_who_talks_and_does_not_log_in_is_sent_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
