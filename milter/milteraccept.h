/* milter/milteraccept.h: what libmilter calls as accept(). */
#ifndef MAILROW_MILTER_MILTERACCEPT_H
#define MAILROW_MILTER_MILTERACCEPT_H

#include <sys/socket.h>

/* As accept(2), but a failure that will last (EMFILE, ENFILE, ENOMEM ...) is
 * returned after a pause, and logged. */
int milter_accept(int fd, struct sockaddr *a, socklen_t *n) __asm__("accept")
	__attribute__((visibility("default")));

#endif
