/* pop3d/keeperframes.c: see keeperframes.h. */
#include "pop3d/keeperframes.h"

#include <errno.h>
#include <sys/socket.h>

enum { FRAMES_PER_CALL = 16 };

void frames_init(struct frames *f, size_t max)
{
	buf_init(&f->b, max);
	f->begun = 0;
	f->sent = 0;
}

void frames_release(struct frames *f)
{
	buf_release(&f->b);
	f->begun = 0;
	f->sent = 0;
}

void frames_reset(struct frames *f)
{
	buf_reset(&f->b);
	f->begun = 0;
	f->sent = 0;
}

struct buf *frames_begin(struct frames *f)
{
	uint32_t none = 0;

	f->begun = f->b.n;
	buf_put(&f->b, &none, sizeof(none));
	return &f->b;
}

void frames_end(struct frames *f)
{
	uint32_t n;

	if (!buf_ok(&f->b))
		return;
	n = (uint32_t)(f->b.n - f->begun - sizeof(n));
	memcpy(f->b.p + f->begun, &n, sizeof(n));
}

bool frames_next(const struct frames *f, size_t *at, struct span *frame_r)
{
	uint32_t n;

	if (*at >= f->b.n)
		return false;
	memcpy(&n, f->b.p + *at, sizeof(n));
	*frame_r = span_make(f->b.p + *at + sizeof(n), n);
	*at += sizeof(n) + n;
	return true;
}

/* Fills at most FRAMES_PER_CALL messages; end[i] is where frame i ends. */
static unsigned gather(const struct frames *f, struct mmsghdr *m,
		       struct iovec *iov, size_t *end)
{
	size_t at = f->sent;
	struct span frame;
	unsigned n = 0;

	while (n < FRAMES_PER_CALL && frames_next(f, &at, &frame)) {
		iov[n].iov_base = f->b.p + (at - frame.n);
		iov[n].iov_len = frame.n;
		m[n] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[n],
						      .msg_iovlen = 1 } };
		end[n++] = at;
	}
	return n;
}

enum frames_result frames_send(struct frames *f, int fd)
{
	struct mmsghdr m[FRAMES_PER_CALL];
	struct iovec iov[FRAMES_PER_CALL];
	size_t end[FRAMES_PER_CALL];

	while (!frames_empty(f)) {
		unsigned n = gather(f, m, iov, end);
		int sent = sendmmsg(fd, m, n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent > 0)
			f->sent = end[sent - 1];
		else if (errno == EAGAIN || errno == ENOBUFS)
			return FRAMES_FULL;
		else if (errno != EINTR)
			return FRAMES_DEAD;
	}
	return FRAMES_SENT;
}
