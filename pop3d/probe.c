/* pop3d/probe.c: see probe.h. */
#include "pop3d/probe.h"

#ifdef WITH_FAULT_POINTS

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_MS = 2000, FRAME_MAX = 64 << 10 };

static uint64_t number(struct span s)
{
	uint64_t n;

	return span_u64(s, &n) ? n : 0;
}

static long try_open(struct span path)
{
	char room[256];

	(void)snprintf(room, sizeof(room), "%.*s", (int)path.n, path.p);
	return open(room, O_RDONLY | O_CLOEXEC);
}

static long try_exec(struct span nothing)
{
	char *argv[] = { NULL };

	(void)nothing;
	return execve("/bin/true", argv, argv);
}

static long try_fork(struct span nothing)
{
	long pid = fork();

	(void)nothing;
	if (pid == 0)
		_exit(0);
	return pid;
}

static long try_socket(struct span nothing)
{
	(void)nothing;
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* Without a new descriptor: that of the client is given up for it. */
static long try_connect(struct span path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	(void)close(0);
	if (socket(AF_UNIX, SOCK_STREAM, 0) < 0)
		return -1;
	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%.*s", (int)path.n,
		       path.p);
	return connect(0, (const struct sockaddr *)&to, sizeof(to));
}

static long try_trace(struct span pid)
{
	return ptrace(PTRACE_ATTACH, (pid_t)number(pid), NULL, NULL);
}

static long try_peek(struct span pid)
{
	char octet;
	struct iovec here = { &octet, 1 }, there = { &errno, 1 };

	return process_vm_readv((pid_t)number(pid), &here, 1, &there, 1, 0);
}

static long try_kill(struct span pid)
{
	return kill((pid_t)number(pid), SIGTERM);
}

static long try_code(struct span nothing)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)nothing;
	return p == MAP_FAILED ? -1 : 0;
}

static long try_descriptor(struct span nothing)
{
	(void)nothing;
	return dup(1);
}

static long try_root(struct span nothing)
{
	(void)nothing;
	return setuid(0);
}

static const struct {
	const char *name;
	long (*run)(struct span);
} tries[] = {
	{ "open", try_open },       { "exec", try_exec },
	{ "fork", try_fork },       { "socket", try_socket },
	{ "connect", try_connect }, { "trace", try_trace },
	{ "peek", try_peek },       { "kill", try_kill },
	{ "code", try_code },       { "descriptor", try_descriptor },
	{ "root", try_root },
};

static bool put_hex(struct span hex, unsigned char *to, size_t *n_r)
{
	char two[3] = "";

	for (*n_r = 0; hex.n >= 2 && *n_r < FRAME_MAX; (*n_r)++) {
		memcpy(two, hex.p, 2);
		to[*n_r] = (unsigned char)strtoul(two, NULL, 16);
		hex = span_skip(hex, 2);
	}
	return hex.n == 0;
}

/* A frame of any form to the keeper, and the first that comes back; none when
 * the keeper has closed the channel. */
static void send_frame(struct span hex, int channel, struct buf *out)
{
	static unsigned char frame[FRAME_MAX];
	struct pollfd p = { .fd = channel, .events = POLLIN };
	ssize_t got = 0;
	size_t n;

	if (put_hex(hex, frame, &n) &&
	    send(channel, frame, n, MSG_NOSIGNAL) == (ssize_t)n &&
	    poll(&p, 1, ANSWER_MS) > 0)
		got = recv(channel, frame, sizeof(frame), MSG_DONTWAIT);
	buf_puts(out, "+OK ");
	for (ssize_t i = 0; i < got && i < 64; i++)
		buf_printf(out, "%02x", frame[i]);
	buf_puts(out, "\r\n");
}

bool probe_line(struct span line, int channel, struct buf *out)
{
	struct span verb, what, rest;

	(void)span_cut(line, ' ', &verb, &rest);
	if (!span_is(verb, "XPROBE"))
		return false;
	(void)span_cut(rest, ' ', &what, &rest);
	if (span_is(what, "frame"))
		send_frame(rest, channel, out);
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		errno = 0;
		if (span_is(what, tries[i].name))
			buf_printf(out, "+OK errno %d\r\n",
				   tries[i].run(rest) < 0 ? errno : 0);
	}
	return true;
}

#endif
