#include "pop3d/chanclient.h"

#include <errno.h>
#include <sys/socket.h>

#include "lib/chan.h"

static enum chanclient_result failure(int error)
{
	if (error == EAGAIN || error == EINTR || error == ENOBUFS)
		return CHANCLIENT_AGAIN;
	return CHANCLIENT_LOST;
}

enum chanclient_result chanclient_send(int fd, struct span frame)
{
	ssize_t n = send(fd, frame.p, frame.n, MSG_DONTWAIT | MSG_NOSIGNAL);

	return n < 0 ? failure(errno) : CHANCLIENT_OK;
}

/* MSG_TRUNC: the length is the frame's own, so one too long shows. */
enum chanclient_result chanclient_receive(int fd, struct span *frame_r)
{
	static char frame[CHAN_FRAME_MAX];
	ssize_t n = recv(fd, frame, sizeof(frame), MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0)
		return failure(errno);
	if (n == 0 || (size_t)n > sizeof(frame))
		return CHANCLIENT_LOST;
	*frame_r = span_make(frame, (size_t)n);
	return CHANCLIENT_OK;
}
