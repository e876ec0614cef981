#include "lib/activation.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/net.h"
#include "lib/span.h"

enum { FIRST = 3, PASSED_MAX = 1024 };

static bool has_option(int fd, int option, int value)
{
	socklen_t n = sizeof(int);
	int got;

	return getsockopt(fd, SOL_SOCKET, option, &got, &n) == 0 &&
	       got == value;
}

static bool is_listener(int fd)
{
	return has_option(fd, SO_TYPE, SOCK_STREAM) &&
	       has_option(fd, SO_ACCEPTCONN, 1) &&
	       fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
	       net_set_nonblocking(fd, true);
}

static bool env_number(const char *name, uint64_t *n_r)
{
	return span_u64(span_of(getenv(name)), n_r);
}

/* How many there are from FIRST on. What is meant for another process, a
 * parent of ours perhaps, is not. */
static int passed(void)
{
	uint64_t pid, n;

	if (!env_number("LISTEN_PID", &pid) || pid != (uint64_t)getpid())
		return 0;
	if (env_number("LISTEN_FDS", &n) && n <= PASSED_MAX)
		return (int)n;
	log_warn("cannot take the service manager's sockets: how many?");
	return 0;
}

size_t activation_take(struct activation_socket *s, size_t max)
{
	struct span name, names = span_of(getenv("LISTEN_FDNAMES"));
	int end = FIRST + passed();
	size_t n = 0;

	for (int fd = FIRST; fd < end; fd++) {
		(void)span_cut(names, ':', &name, &names);
		name = span_head(name, ACTIVATION_NAME_MAX);
		if (n < max && is_listener(fd)) {
			s[n].fd = fd;
			(void)snprintf(s[n].name, sizeof(s[n].name), "%.*s",
				       (int)name.n, name.p);
			n++;
		} else {
			log_warn("cannot use the service manager's socket "
				 "'%.*s'",
				 (int)name.n, name.p);
			(void)close(fd);
		}
	}
	/* they are taken once */
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	return n;
}
