#include "lib/activation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "lib/log.h"
#include "lib/net.h"

static bool is_listener(int fd)
{
	return sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) > 0 &&
	       net_set_nonblocking(fd, true);
}

size_t activation_take(struct activation_socket *s, size_t max)
{
	char **names = NULL;
	int passed = sd_listen_fds_with_names(1, &names);
	size_t n = 0;

	if (passed < 0)
		log_warn("cannot take the service manager's sockets: %s",
			 strerror(-passed));
	for (int i = 0; i < passed; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (n < max && is_listener(fd)) {
			s[n].fd = fd;
			(void)snprintf(s[n].name, sizeof(s[n].name), "%s",
				       names[i]);
			n++;
		} else {
			log_warn("cannot use the service manager's socket "
				 "'%s'",
				 names[i]);
			(void)close(fd);
		}
		free(names[i]);
	}
	free(names);
	return n;
}
