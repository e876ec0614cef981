/* lib/activation_none.c: lib/activation.h in a build without libsystemd. */
#include "lib/activation.h"

size_t activation_take(struct activation_socket *s, size_t max)
{
	(void)s;
	(void)max;
	return 0;
}
