#include "pop3d/popio.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"

enum { LINGER_MS = 1000 };

void popio_init(struct popio *io, int fd, size_t out_max)
{
	io->fd = fd;
	buf_init(&io->out, out_max);
	io->in = (struct line_buf){
		.p = io->in_room,
		.size = sizeof(io->in_room),
	};
}

static bool is_passing(int error)
{
	return error == EAGAIN || error == EINTR;
}

void popio_begin_tls(struct popio *io, struct tls *t)
{
	io->tls = tls_accept(t, io->fd);
	io->shaking = true;
	if (!io->tls) {
		io->shake_failed = true;
		io->eof = true;
		io->broken = true;
	}
}

static void added(struct popio *io, size_t n)
{
	line_added(&io->in, n);
	if (io->in.end > io->in_most)
		io->in_most = io->in.end;
	io->in_octets += n;
}

/* Of a broken connection only what has come already is of interest. */
static void read_clear(struct popio *io)
{
	struct line_room room = line_room(&io->in);
	ssize_t n = recv(io->fd, room.p, room.n, MSG_DONTWAIT);

	if (n > 0)
		added(io, (size_t)n);
	else if (n == 0 || !is_passing(errno) || io->broken)
		io->eof = true;
}

static void read_tls(struct popio *io)
{
	struct line_room room = line_room(&io->in);
	enum tls_result r;
	size_t n;

	r = tls_read(io->tls, room.p, room.n, &n);
	if (r == TLS_OK)
		added(io, n);
	else if (r != TLS_AGAIN || io->broken)
		io->eof = true;
}

/* The alert that says why it failed may still get through. */
static void shake(struct popio *io)
{
	enum tls_result r = tls_shake(io->tls);

	if (r == TLS_OK)
		io->shaking = false;
	if (r == TLS_OK || (r == TLS_AGAIN && !io->broken))
		return;
	(void)tls_flush(io->tls);
	io->shake_failed = true;
	io->eof = true;
	io->broken = true;
}

void popio_read(struct popio *io)
{
	if (io->shaking)
		shake(io);
	else if (io->tls)
		read_tls(io);
	else
		read_clear(io);
}

bool popio_waits(const struct popio *io)
{
	return io->tls && !io->eof && tls_waits(io->tls);
}

bool popio_has_octets(const struct popio *io)
{
	return line_pending(&io->in) > 0;
}

enum line_status popio_take(struct popio *io, struct span *line_r)
{
	enum line_status status = line_take(&io->in, line_r);

	return status == LINE_MORE && io->in.skipping ? LINE_LONG : status;
}

void popio_forget(struct popio *io)
{
	struct line_buf *l = &io->in;

	explicit_bzero(l->p, l->start);
	explicit_bzero(l->p + l->end, io->in_most - l->end);
}

static bool flush_clear(struct popio *io)
{
	ssize_t n =
		send(io->fd, io->out.p, io->out.n, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0) {
		buf_drop(&io->out, (size_t)n);
		io->out_octets += (uint64_t)n;
		return true;
	}
	if (!is_passing(errno))
		io->broken = true;
	return false;
}

/* What is encrypted leaves before more is. */
static bool flush_tls(struct popio *io)
{
	enum tls_result r;
	size_t n;

	if (!tls_unsent(io->tls)) {
		n = tls_write(io->tls, buf_span(&io->out));
		buf_drop(&io->out, n);
		io->out_octets += n;
		io->broken = n == 0;
	}
	r = tls_flush(io->tls);
	if (r == TLS_FAILED)
		io->broken = true;
	return r == TLS_OK;
}

bool popio_wants_out(const struct popio *io)
{
	if (io->tls && tls_unsent(io->tls))
		return true;
	return io->out.n > 0 && !io->shaking;
}

bool popio_unsent(const struct popio *io)
{
	return !io->broken && (io->out.n > 0 || popio_wants_out(io));
}

bool popio_flush(struct popio *io)
{
	bool took = false;

	if (!io->broken && popio_wants_out(io))
		took = io->tls ? flush_tls(io) : flush_clear(io);
	if (io->broken)
		buf_reset(&io->out);
	return took;
}

static void linger_until(struct popio *io, int64_t deadline)
{
	struct pollfd pfd = { .fd = io->fd, .events = POLLIN };
	ssize_t n;

	do {
		if (poll(&pfd, 1, deadline_left(deadline)) <= 0)
			return;
		n = recv(io->fd, io->in_room, sizeof(io->in_room),
			 MSG_DONTWAIT);
	} while (n > 0 && deadline_left(deadline) > 0);
}

void popio_close(struct popio *io, bool linger)
{
	if (io->tls && !io->shaking && !io->broken) {
		tls_close(io->tls);
		(void)tls_flush(io->tls);
	}
	if (linger && !io->broken && !io->eof && shutdown(io->fd, SHUT_WR) == 0)
		linger_until(io, deadline_in(LINGER_MS));
	(void)close(io->fd);
}
