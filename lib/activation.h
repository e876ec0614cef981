/* lib/activation.h: listening sockets that a service manager opened and passed
 * on (sd_listen_fds(3)). */
#ifndef MAILROW_LIB_ACTIVATION_H
#define MAILROW_LIB_ACTIVATION_H

#include <stddef.h>

enum { ACTIVATION_NAME_MAX = 31 };

struct activation_socket {
	int fd; /* non-blocking, close-on-exec; the caller's */
	char name[ACTIVATION_NAME_MAX + 1]; /* FileDescriptorName= */
};

/* Takes at most max of them, once; what is no listening stream socket, and
 * what is too many, is closed with a warning. How many. */
size_t activation_take(struct activation_socket *s, size_t max);

#endif
