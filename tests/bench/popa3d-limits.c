/* popa3d-limits: preloaded into popa3d, whose standalone mode takes at most 50
 * sessions an address and 500 in all within 10 seconds, ended ones included,
 * and lets five connections wait: with more at once clients are lost to TCP's
 * timers. Here 10 seconds pass between any two looks at the clock, and a
 * thousand may wait, so that what is compared is how fast it serves. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/times.h>
#include <unistd.h>

clock_t times(struct tms *buffer)
{
	static clock_t now;

	if (buffer)
		*buffer = (struct tms){ 0 };
	now += 60 * sysconf(_SC_CLK_TCK);
	return now;
}

int listen(int fd, int backlog)
{
	int (*real)(int, int);

	(void)backlog;
	*(void **)&real = dlsym(RTLD_NEXT, "listen");
	return real(fd, 1000);
}
