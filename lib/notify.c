#include "lib/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"

/* The address, with "@" for a socket that is no file; 0: there is none. */
static socklen_t manager_address(struct sockaddr_un *a)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = path ? strlen(path) : 0;

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (n < 2 || n >= sizeof(a->sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return 0;
	memcpy(a->sun_path, path, n);
	if (path[0] == '@')
		a->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

/* A manager that does not listen is nobody's trouble but its own. */
static void notify_say(const char *state)
{
	struct sockaddr_un a;
	socklen_t n = manager_address(&a);
	int fd;

	if (n == 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		     (const struct sockaddr *)&a, n);
	(void)close(fd);
}

void notify_ready(void)
{
	notify_say("READY=1");
}

/* The time tells the manager which READY=1 belongs to this reload. */
void notify_reloading(void)
{
	char state[64];

	(void)snprintf(state, sizeof(state),
		       "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_us());
	notify_say(state);
}

void notify_stopping(void)
{
	notify_say("STOPPING=1");
}
