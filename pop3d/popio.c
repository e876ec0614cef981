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

/* Of a broken connection only what has come already is of interest. */
void popio_read(struct popio *io)
{
	struct line_room room = line_room(&io->in);
	ssize_t n = recv(io->fd, room.p, room.n, MSG_DONTWAIT);

	if (n > 0) {
		line_added(&io->in, (size_t)n);
		if (io->in.end > io->in_most)
			io->in_most = io->in.end;
		io->in_octets += (uint64_t)n;
	} else if (n == 0 || !is_passing(errno) || io->broken) {
		io->eof = true;
	}
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

bool popio_flush(struct popio *io)
{
	ssize_t n;

	if (io->out.n == 0)
		return false;
	if (io->broken) {
		buf_reset(&io->out);
		return false;
	}
	n = send(io->fd, io->out.p, io->out.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0) {
		buf_drop(&io->out, (size_t)n);
		io->out_octets += (uint64_t)n;
		return true;
	}
	if (!is_passing(errno)) {
		io->broken = true;
		buf_reset(&io->out);
	}
	return false;
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
	if (linger && !io->broken && !io->eof && shutdown(io->fd, SHUT_WR) == 0)
		linger_until(io, deadline_in(LINGER_MS));
	(void)close(io->fd);
}
