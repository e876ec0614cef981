/* lmtpd/lmtpio.c: see lmtpio.h. */
#include "lmtpd/lmtpio.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"

bool lmtpio_init(struct lmtpio *io, int fd, int stop_fd, int64_t timeout)
{
	*io = (struct lmtpio){ .fd = fd,
			       .stop_fd = stop_fd,
			       .timeout = timeout,
			       .out = BUF_INIT(LMTPIO_OUT_MAX),
			       .room = malloc(LMTPIO_IN) };
	io->in = (struct line_buf){ .p = io->room, .size = LMTPIO_IN };
	return io->room != NULL;
}

void lmtpio_release(struct lmtpio *io)
{
	free(io->room);
	buf_release(&io->out);
	(void)close(io->fd);
}

static bool is_passing(int error)
{
	return error == EAGAIN || error == EINTR;
}

static bool wait_writable(const struct lmtpio *io, int64_t deadline)
{
	struct pollfd p = { .fd = io->fd, .events = POLLOUT };
	int n = poll(&p, 1, deadline_left(deadline));

	return n > 0 || (n < 0 && errno == EINTR);
}

bool lmtpio_flush(struct lmtpio *io)
{
	int64_t deadline = deadline_in(io->timeout);
	struct span rest = buf_span(&io->out);
	bool ok = buf_ok(&io->out);

	while (ok && rest.n > 0) {
		ssize_t n = send(io->fd, rest.p, rest.n, MSG_NOSIGNAL);

		if (n > 0)
			rest = span_skip(rest, (size_t)n);
		else
			ok = is_passing(errno) && wait_writable(io, deadline);
	}
	buf_reset(&io->out);
	return ok;
}

/* What has come already is answered before we stop. */
static enum lmtpio_status wait_readable(const struct lmtpio *io,
					bool in_message)
{
	struct pollfd p[] = { { .fd = io->fd, .events = POLLIN },
			      { .fd = io->stop_fd, .events = POLLIN } };
	int64_t deadline = deadline_in(io->timeout);

	for (;;) {
		int n = poll(p, in_message ? 1 : 2, deadline_left(deadline));

		if (n == 0)
			return LMTPIO_IDLE;
		if (n < 0 && errno != EINTR)
			return LMTPIO_CLOSED;
		if (n > 0 && p[0].revents)
			return LMTPIO_OK;
		if (n > 0)
			return LMTPIO_STOP;
	}
}

enum lmtpio_status lmtpio_fill(struct lmtpio *io, bool in_message)
{
	struct line_room room = line_room(&io->in);
	enum lmtpio_status status;
	ssize_t n;

	if (!lmtpio_flush(io))
		return LMTPIO_CLOSED;
	for (;;) {
		status = wait_readable(io, in_message);
		if (status != LMTPIO_OK)
			return status;
		n = recv(io->fd, room.p, room.n, 0);
		if (n > 0)
			break;
		if (n == 0 || !is_passing(errno))
			return LMTPIO_CLOSED;
	}
	line_added(&io->in, (size_t)n);
	return LMTPIO_OK;
}

struct span lmtpio_pending(const struct lmtpio *io)
{
	return span_make(io->in.p + io->in.start, io->in.end - io->in.start);
}

void lmtpio_take(struct lmtpio *io, size_t n)
{
	io->in.start += n;
}
