/* tests/unit/test_keeperauth.c: the keeper asks an authd that this test
 * plays. */
#include "pop3d/keeperauth.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/net.h"
#include "tests/unit/wire.h"

enum { TAG = 7, ANSWERS = 8, TEXT_MAX = 1 << 20 };

/* Both ends, and what the keeper's end was told. */
static struct {
	char dir[32], path[64];
	int listener, authd, epoll;
	struct keeperauth a;
	struct buf heard;
	struct {
		uint64_t who;
		bool any;
		enum authproto_answer_kind kind;
		char mailbox[64];
	} told[ANSWERS];
	size_t n;
} t;

static void on_answer(void *arg, uint64_t who, const struct authproto_answer *a)
{
	assert_ptr_equal(arg, &t);
	assert_true(t.n < ANSWERS);
	t.told[t.n].who = who;
	t.told[t.n].any = a != NULL;
	if (a) {
		t.told[t.n].kind = a->kind;
		(void)snprintf(t.told[t.n].mailbox, sizeof(t.told[0].mailbox),
			       "%.*s", (int)a->mailbox.n, a->mailbox.p);
	}
	t.n++;
}

static void listen_again(void)
{
	struct buf why = BUF_INIT(1000);

	t.listener = net_listen_unix(t.path, getgid(), 5, &why);
	assert_true(t.listener >= 0);
	buf_release(&why);
}

static int begin(void **state)
{
	const struct keeperauth_answer answer = { on_answer, &t };

	(void)state;
	memset(&t, 0, sizeof(t));
	(void)snprintf(t.dir, sizeof(t.dir), "/tmp/keeperauth.XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	(void)snprintf(t.path, sizeof(t.path), "%s/auth", t.dir);
	listen_again();
	t.authd = -1;
	t.epoll = epoll_create1(EPOLL_CLOEXEC);
	buf_init(&t.heard, TEXT_MAX);
	return keeperauth_init(&t.a, t.path, t.epoll, TAG, answer) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	keeperauth_release(&t.a);
	buf_release(&t.heard);
	close(t.listener);
	if (t.authd >= 0)
		close(t.authd);
	close(t.epoll);
	(void)unlink(t.path);
	return rmdir(t.dir);
}

static bool ask(uint64_t who, int64_t now)
{
	const struct authproto_login l = { .mech = MECH_PLAIN,
					   .service = "pop3",
					   .user = SPAN_LIT("bob"),
					   .secret = SPAN_LIT("sesame") };

	return keeperauth_ask(&t.a, who, &l, now);
}

/* What the keeper has sent since. */
static const char *hear(void)
{
	char octets[4096];
	struct net_peer peer;
	ssize_t n;

	keeperauth_flush(&t.a);
	if (t.authd < 0)
		t.authd = net_accept(t.listener, true, &peer);
	assert_true(t.authd >= 0);
	buf_reset(&t.heard);
	while ((n = read(t.authd, octets, sizeof(octets))) > 0)
		buf_put(&t.heard, octets, (size_t)n);
	return buf_cstr(&t.heard);
}

/* Waits until the loop would be told, as it would be. */
static void pump(void)
{
	struct epoll_event ev;

	while (epoll_wait(t.epoll, &ev, 1, 0) == 1) {
		assert_int_equal(ev.data.u64, TAG);
		keeperauth_event(&t.a, ev.events);
	}
}

static void say(const char *text)
{
	assert_int_equal(write(t.authd, text, strlen(text)), strlen(text));
	pump();
}

static void a_login_is_one_line_with_everything_in_it(void **state)
{
	struct authproto_login l = { .mech = MECH_PLAIN,
				     .service = "pop3",
				     .user = SPAN_LIT("bob"),
				     .secret = SPAN_LIT("sesame") };
	const char *text, *auth;

	(void)state;
	assert_true(ipaddr_parse(SPAN_LIT("192.0.2.1"), &l.rip));
	assert_true(ipaddr_parse(SPAN_LIT("192.0.2.2"), &l.lip));
	assert_true(keeperauth_ask(&t.a, 1, &l, 0));
	text = hear();
	assert_ptr_equal(strstr(text, "VERSION\t1\t"), text);
	auth = strstr(text, "AUTH\t1\tPLAIN\t");
	assert_non_null(auth);
	assert_non_null(strstr(auth, "\tservice=pop3\t"));
	assert_non_null(strstr(auth, "\trip=192.0.2.1\t"));
	assert_non_null(strstr(auth, "\tlip=192.0.2.2\t"));
	assert_null(strstr(auth, "secured"));
	assert_non_null(strstr(auth, "\tresp=AGJvYgBzZXNhbWU=\n"));
}

static void nothing_of_a_password_stays_in_the_buffer(void **state)
{
	size_t n;

	(void)state;
	assert_true(ask(1, 0));
	n = t.a.out.n;
	assert_non_null(memmem(t.a.out.p, n, "AGJvYg", 6));
	(void)hear();
	assert_int_equal(t.a.out.n, 0);
	assert_null(memmem(t.a.out.p, n, "AGJvYg", 6));
}

static void an_answer_goes_to_who_asked(void **state)
{
	(void)state;
	assert_true(ask(11, 0));
	assert_true(ask(22, 0));
	assert_true(ask(33, 0));
	(void)hear();
	say("VERSION\t1\t1\nMECH\tPLAIN\nDONE\n");
	assert_int_equal(t.n, 0);
	say("FAIL\t2\tuser=bob\nOK\t3\tuser=bob\tmailbox=bob@a.example\nFAIL");
	assert_int_equal(t.n, 2);
	assert_int_equal(t.told[0].who, 22);
	assert_int_equal(t.told[0].kind, AUTHPROTO_A_FAIL);
	assert_int_equal(t.told[1].who, 33);
	assert_int_equal(t.told[1].kind, AUTHPROTO_A_OK);
	assert_string_equal(t.told[1].mailbox, "bob@a.example");
	say("\t1\tcode=temp_fail\n");
	assert_int_equal(t.n, 3);
	assert_int_equal(t.told[2].who, 11);
	assert_false(t.told[2].any);
	assert_int_equal(t.a.waiting, 0);
}

static void numbers_nobody_gave_are_ignored(void **state)
{
	(void)state;
	assert_true(ask(11, 0));
	(void)hear();
	say("OK\t0\tuser=x\nOK\t2\tuser=x\nOK\t4294967297\tuser=x\n"
	    "OK\t9999999\tuser=x\nOK\t1\tuser=bob\nOK\t1\tuser=bob\n");
	assert_int_equal(t.n, 1);
	assert_int_equal(t.told[0].who, 11);
}

static void a_late_answer_is_nobodys(void **state)
{
	(void)state;
	assert_true(ask(11, 1000));
	keeperauth_expire(&t.a, 1000 + KEEPERAUTH_TIMEOUT_MS - 1);
	assert_int_equal(t.n, 0);
	keeperauth_expire(&t.a, 1000 + KEEPERAUTH_TIMEOUT_MS);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.told[0].who, 11);
	assert_false(t.told[0].any);
	assert_true(ask(22, 20000));
	assert_non_null(strstr(hear(), "AUTH\t2\t"));
	say("OK\t1\tuser=late\n");
	assert_int_equal(t.n, 1);
	say("OK\t2\tuser=bob\n");
	assert_int_equal(t.n, 2);
	assert_int_equal(t.told[1].who, 22);
	assert_int_equal(t.a.forgotten, 0);
}

static void a_lost_connection_is_an_answer_to_all(void **state)
{
	(void)state;
	assert_true(ask(11, 0));
	assert_true(ask(22, 0));
	(void)hear();
	close(t.authd);
	t.authd = -1;
	pump();
	assert_int_equal(t.n, 2);
	assert_false(t.told[0].any);
	assert_false(t.told[1].any);
	assert_true(ask(33, 0));
	assert_non_null(strstr(hear(), "VERSION\t"));
	say("OK\t1\tuser=bob\nOK\t2\tuser=bob\n");
	assert_int_equal(t.n, 3);
	assert_int_equal(t.told[2].who, 33);
}

static void without_authd_nothing_is_asked(void **state)
{
	(void)state;
	close(t.listener);
	assert_false(ask(11, 0));
	assert_int_equal(t.n, 0);
	listen_again();
	assert_true(ask(11, 0));
}

static void what_is_no_protocol_ends_the_connection(void **state)
{
	static const char *const row[] = { "OK\tx\tuser=bob\n", "OK\n",
					   "FAIL\t\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		t.n = 0;
		assert_true(ask(11, 0));
		(void)hear();
		say(row[i]);
		assert_int_equal(t.n, 1);
		assert_false(t.told[0].any);
		close(t.authd);
		t.authd = -1;
	}
}

static void an_endless_line_ends_the_connection(void **state)
{
	static char octets[AUTHPROTO_LINE_MAX + 100];

	(void)state;
	memset(octets, 'x', sizeof(octets));
	octets[sizeof(octets) - 1] = '\n';
	assert_true(ask(11, 0));
	(void)hear();
	assert_int_equal(write(t.authd, octets, sizeof(octets)),
			 sizeof(octets));
	pump();
	assert_int_equal(t.n, 1);
	assert_false(t.told[0].any);
	assert_int_equal(t.a.fd, -1);
}

static void many_requests_are_in_flight_at_once(void **state)
{
	enum { MANY = 1000 };

	(void)state;
	for (uint64_t i = 1; i <= MANY; i++)
		assert_true(ask(i, 0));
	assert_int_equal(t.a.waiting, MANY);
	assert_non_null(strstr(hear(), "AUTH\t1000\t"));
	say("OK\t777\tuser=bob\n");
	assert_int_equal(t.n, 1);
	assert_int_equal(t.told[0].who, 777);
	/* the rest would not fit into what this test remembers */
	for (uint32_t i = 0; i < t.a.nrequest; i++)
		if (t.a.request[i].who) {
			t.a.request[i].who = 0;
			t.a.waiting--;
		}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_login_is_one_line_with_everything_in_it),
		TEST(nothing_of_a_password_stays_in_the_buffer),
		TEST(an_answer_goes_to_who_asked),
		TEST(numbers_nobody_gave_are_ignored),
		TEST(a_late_answer_is_nobodys),
		TEST(a_lost_connection_is_an_answer_to_all),
		TEST(without_authd_nothing_is_asked),
		TEST(what_is_no_protocol_ends_the_connection),
		TEST(an_endless_line_ends_the_connection),
		TEST(many_requests_are_in_flight_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
