#include "lib/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"

static char dir[64], path[128];

static int make_dir(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test_net.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/socket", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static int listen_unix(void)
{
	struct buf why = BUF_INIT(256);
	int fd = net_listen_unix(path, getegid(), 5, &why);

	if (fd < 0)
		fail_msg("%s", buf_cstr(&why));
	buf_release(&why);
	return fd;
}

static void refuse_unix(const char *p, const char *reason)
{
	struct buf why = BUF_INIT(512);

	assert_int_equal(net_listen_unix(p, getegid(), 5, &why), -1);
	if (!strstr(buf_cstr(&why), reason))
		fail_msg("%s", buf_cstr(&why));
	buf_release(&why);
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in a;
	socklen_t n = sizeof(a);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	return ntohs(a.sin_port);
}

static int connect_loopback(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_port = htons(port);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void an_accepted_client_has_its_addresses(void **state)
{
	struct buf why = BUF_INIT(256);
	char text[IPADDR_TEXT_MAX];
	struct net_peer peer;
	int l, c, s;

	(void)state;
	l = net_listen_inet(SPAN_LIT("127.0.0.1:0"), 5, &why);
	assert_true(l >= 0);
	assert_int_equal(net_accept(l, true, &peer), -1);
	assert_int_equal(errno, EAGAIN);
	c = connect_loopback(port_of(l));
	s = net_accept(l, true, &peer);
	assert_true(s >= 0);
	assert_string_equal(ipaddr_text(&peer.remote, text), "127.0.0.1");
	assert_string_equal(ipaddr_text(&peer.local, text), "127.0.0.1");
	assert_int_equal(peer.remote_port, port_of(c));
	assert_int_equal(peer.local_port, port_of(l));
	assert_true(fcntl(s, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(s, F_GETFD) & FD_CLOEXEC);
	close(c);
	close(s);
	close(l);
	buf_release(&why);
}

static void addresses_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"110",
		":110",
		"127.0.0.1",
		"127.0.0.1:",
		"::1:110",
		"[::1:110",
		"localhost:110",
		"127.0.0.1:x",
		"1.2.3.4:1:2",
		"127.0.0.1:99999999",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct buf why = BUF_INIT(256);

		if (net_listen_inet(span_of(bad[i]), 5, &why) != -1)
			fail_msg("taken: %s", bad[i]);
		assert_non_null(strstr(buf_cstr(&why), "cannot listen on"));
		buf_release(&why);
	}
}

static void a_port_in_use_is_told(void **state)
{
	struct buf why = BUF_INIT(256);
	char text[32];
	int l = net_listen_inet(SPAN_LIT("127.0.0.1:0"), 5, &why);

	(void)state;
	(void)snprintf(text, sizeof(text), "127.0.0.1:%u", port_of(l));
	assert_int_equal(net_listen_inet(span_of(text), 5, &why), -1);
	assert_int_equal(errno, EADDRINUSE);
	assert_non_null(strstr(buf_cstr(&why), "in use"));
	close(l);
	buf_release(&why);
}

static void a_unix_socket_is_for_its_group(void **state)
{
	struct stat st;
	int l = listen_unix();

	(void)state;
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(st.st_gid, getegid());
	close(l);
}

static void a_stale_socket_is_replaced_and_a_live_one_is_not(void **state)
{
	int l = listen_unix();

	(void)state;
	close(l);
	l = listen_unix();
	refuse_unix(path, "another process listens");
	close(l);
}

static void a_full_queue_is_no_stale_socket(void **state)
{
	struct buf why = BUF_INIT(256);
	int l = net_listen_unix(path, getegid(), 0, &why);
	int c = net_connect_unix(path, deadline_in(100));

	(void)state;
	assert_true(c >= 0);
	assert_int_equal(net_connect_unix(path, deadline_in(100)), -1);
	assert_int_equal(errno, ETIMEDOUT);
	refuse_unix(path, "another process listens");
	close(c);
	close(l);
	buf_release(&why);
}

static void a_file_that_is_no_socket_stays(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	(void)unlink(path);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	refuse_unix(path, "no socket");
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(unlink(path), 0);
	refuse_unix("/nonexistent/dir/socket", "No such file");
	refuse_unix("/tmp/"
		    "0123456789012345678901234567890123456789012345678901234567"
		    "8901234567890123456789012345678901234567890123456789",
		    "too long");
}

static void a_connection_is_blocking_and_has_no_address(void **state)
{
	static const struct ipaddr none;
	struct net_peer peer;
	int l = listen_unix();
	int c = net_connect_unix(path, deadline_in(1000));
	int s = net_accept(l, true, &peer);

	(void)state;
	assert_true(c >= 0 && s >= 0);
	assert_false(fcntl(c, F_GETFL) & O_NONBLOCK);
	assert_true(net_set_nonblocking(c, true));
	assert_true(fcntl(c, F_GETFL) & O_NONBLOCK);
	assert_memory_equal(&peer.remote, &none, sizeof(none));
	assert_int_equal(peer.remote_port, 0);
	close(c);
	close(s);
	close(l);
	assert_int_equal(net_connect_unix(path, deadline_in(1000)), -1);
	assert_int_equal(errno, ECONNREFUSED);
}

static void a_descriptor_travels_with_its_message(void **state)
{
	char text[16];
	int pair[2], pipes[2], got;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(pipe(pipes), 0);
	assert_true(net_send_fd(pair[0], SPAN_LIT("hello"), pipes[1]));
	assert_int_equal(net_recv_fd(pair[1], text, sizeof(text), &got), 5);
	assert_memory_equal(text, "hello", 5);
	assert_true(got >= 0 && got != pipes[1]);
	assert_true(fcntl(got, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(got, "x", 1), 1);
	assert_int_equal(read(pipes[0], text, 1), 1);
	close(got);
	assert_int_equal(send(pair[0], "none", 4, 0), 4);
	assert_int_equal(net_recv_fd(pair[1], text, sizeof(text), &got), 4);
	assert_int_equal(got, -1);
	assert_true(net_send_fd(pair[0], SPAN_LIT("too long"), pipes[1]));
	assert_int_equal(net_recv_fd(pair[1], text, 3, &got), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(got, -1);
	close(pair[0]);
	assert_int_equal(net_recv_fd(pair[1], text, sizeof(text), &got), 0);
	close(pair[1]);
	close(pipes[0]);
	close(pipes[1]);
}

static void the_host_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(net_hostname("mx.example.net"), "mx.example.net");
	assert_true(strlen(net_hostname("")) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_accepted_client_has_its_addresses),
		cmocka_unit_test(addresses_that_are_none_are_refused),
		cmocka_unit_test(a_port_in_use_is_told),
		cmocka_unit_test(a_unix_socket_is_for_its_group),
		cmocka_unit_test(
			a_stale_socket_is_replaced_and_a_live_one_is_not),
		cmocka_unit_test(a_full_queue_is_no_stale_socket),
		cmocka_unit_test(a_file_that_is_no_socket_stays),
		cmocka_unit_test(a_connection_is_blocking_and_has_no_address),
		cmocka_unit_test(a_descriptor_travels_with_its_message),
		cmocka_unit_test(the_host_has_a_name),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
