/* milter/milteraccept.c: libmilter's listener, told that there is no descriptor
 * for a connection, asks again at once and takes a whole processor for as long
 * as that lasts. It has no hook for that, so its accept() is this one: the
 * linker takes a program's own function before libc's. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "lib/log.h"
#include "milter/milteraccept.h"

enum { PAUSE_MS = 500 };

int milter_accept(int fd, struct sockaddr *a, socklen_t *n)
{
	int s = accept4(fd, a, n, SOCK_CLOEXEC);
	int why = errno;

	if (s >= 0 || why == EAGAIN || why == EINTR || why == ECONNABORTED)
		return s;
	log_warn("cannot accept a connection: %s", strerror(why));
	(void)poll(NULL, 0, PAUSE_MS);
	errno = why;
	return s;
}
