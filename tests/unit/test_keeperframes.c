/* tests/unit/test_keeperframes.c: frames that wait, over a real socket. */
#include "pop3d/keeperframes.h"

#include <sys/socket.h>
#include <unistd.h>

#include "lib/chan.h"
#include "tests/unit/wire.h"

enum { MANY = 100, FRAMES_MAX = 16 << 20 };

static void put_frame(struct frames *f, size_t n, char c)
{
	struct buf *b = frames_begin(f);
	char *p = buf_reserve(b, n);

	assert_non_null(p);
	memset(p, c, n);
	b->n += n;
	frames_end(f);
}

/* The length of the next packet, all of whose octets are c. */
static size_t receive(int fd, char c)
{
	static char packet[CHAN_FRAME_MAX];
	ssize_t n = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);

	assert_true(n >= 0);
	for (ssize_t i = 0; i < n; i++)
		assert_int_equal(packet[i], c);
	return (size_t)n;
}

static void every_frame_is_one_packet(void **state)
{
	struct frames f;
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	frames_init(&f, FRAMES_MAX);
	assert_true(frames_empty(&f));
	for (size_t i = 1; i <= MANY; i++)
		put_frame(&f, i, (char)i);
	assert_int_equal(frames_send(&f, fd[0]), FRAMES_SENT);
	assert_true(frames_empty(&f));
	for (size_t i = 1; i <= MANY; i++)
		assert_int_equal(receive(fd[1], (char)i), i);
	frames_release(&f);
	close(fd[0]);
	close(fd[1]);
}

static void a_full_channel_keeps_the_rest_in_order(void **state)
{
	enum frames_result r = FRAMES_FULL;
	struct frames f;
	size_t got = 0;
	unsigned full = 0;
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	frames_init(&f, FRAMES_MAX);
	for (size_t i = 0; i < MANY; i++)
		put_frame(&f, CHAN_FRAME_MAX - i, (char)i);
	while ((r = frames_send(&f, fd[0])) == FRAMES_FULL) {
		full++;
		assert_int_equal(receive(fd[1], (char)got),
				 CHAN_FRAME_MAX - got);
		got++;
	}
	assert_int_equal(r, FRAMES_SENT);
	assert_true(full > 0);
	for (; got < MANY; got++)
		assert_int_equal(receive(fd[1], (char)got),
				 CHAN_FRAME_MAX - got);
	frames_release(&f);
	close(fd[0]);
	close(fd[1]);
}

static void a_closed_channel_is_dead(void **state)
{
	struct frames f;
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	close(fd[1]);
	frames_init(&f, FRAMES_MAX);
	put_frame(&f, 1, 'x');
	assert_int_equal(frames_send(&f, fd[0]), FRAMES_DEAD);
	frames_release(&f);
	close(fd[0]);
}

static void too_much_is_a_failure_that_sticks(void **state)
{
	char octets[64] = { 0 };
	struct frames f;

	(void)state;
	frames_init(&f, sizeof(octets));
	buf_put(frames_begin(&f), octets, sizeof(octets));
	frames_end(&f);
	assert_false(buf_ok(&f.b));
	frames_reset(&f);
	assert_true(buf_ok(&f.b));
	assert_true(frames_empty(&f));
	frames_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_frame_is_one_packet),
		cmocka_unit_test(a_full_channel_keeps_the_rest_in_order),
		cmocka_unit_test(a_closed_channel_is_dead),
		cmocka_unit_test(too_much_is_a_failure_that_sticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
