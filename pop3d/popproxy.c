#include "pop3d/popproxy.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "lib/clock.h"

static bool wait_for(int fd, int64_t deadline, const sigset_t *waiting,
		     enum chan_end *why_r)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int left = deadline_left(deadline);
	const struct timespec t = { .tv_sec = left / 1000,
				    .tv_nsec = left % 1000 * 1000000L };
	int n = ppoll(&pfd, 1, &t, waiting);

	*why_r = n < 0 ? CHAN_END_STOPPED : CHAN_END_LOGIN_TIMEOUT;
	return n > 0;
}

/* What is there is looked at; of it only what is the header's is taken. */
static enum proxyproto_status take(int fd, char *head, size_t *have,
				   struct proxyproto *p, enum chan_end *why_r)
{
	enum proxyproto_status status;
	size_t end;
	ssize_t n = recv(fd, head + *have, PROXYPROTO_MAX - *have,
			 MSG_PEEK | MSG_DONTWAIT);

	*why_r = n < 0 || n > 0 ? CHAN_END_PROXY : CHAN_END_CLOSED;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return PROXYPROTO_MORE;
	if (n <= 0)
		return PROXYPROTO_BAD;
	end = *have + (size_t)n;
	status = proxyproto_parse(span_make(head, end), p);
	if (status == PROXYPROTO_BAD)
		return status;
	if (status == PROXYPROTO_DONE)
		end = p->octets;
	n = recv(fd, head + *have, end - *have, MSG_DONTWAIT);
	if (n != (ssize_t)(end - *have))
		return PROXYPROTO_BAD;
	*have = end;
	return status;
}

bool popproxy_read(int fd, int64_t deadline, const sigset_t *waiting,
		   struct proxyproto *p_r, enum chan_end *why_r)
{
	enum proxyproto_status status = PROXYPROTO_MORE;
	char head[PROXYPROTO_MAX];
	size_t have = 0;

	while (status == PROXYPROTO_MORE) {
		if (!wait_for(fd, deadline, waiting, why_r))
			return false;
		status = take(fd, head, &have, p_r, why_r);
	}
	return status == PROXYPROTO_DONE;
}
