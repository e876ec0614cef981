/* lib/syscalls_none.c: a build without libseccomp, or with a sanitizer, whose
 * run-time makes calls of its own. */
#include "lib/syscalls.h"

bool syscalls_compile(enum sandbox_role role, struct syscalls *s_r,
		      const char **why_r)
{
	(void)role;
	*s_r = (struct syscalls){ NULL, 0 };
	*why_r = "no filter of system calls in this build";
	return false;
}

void syscalls_release(struct syscalls *s)
{
	*s = (struct syscalls){ NULL, 0 };
}

bool syscalls_confine(const struct syscalls *s)
{
	(void)s;
	return true;
}
