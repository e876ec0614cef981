/* popa3d-times: preloaded into popa3d, whose standalone mode takes at most 50
 * sessions an address and 500 in all within 10 seconds, ended ones included.
 * Here 10 seconds pass between any two looks at the clock, so that what is
 * compared is how fast it serves. */
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
