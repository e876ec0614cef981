/* lib/syscalls.h: lists of system calls as a program for the kernel's filter.
 * The only file that knows libseccomp; without it syscalls_none.c says so. */
#ifndef MAILROW_LIB_SYSCALLS_H
#define MAILROW_LIB_SYSCALLS_H

#include "lib/sandbox.h"

struct syscalls {
	void *program; /* instructions of struct sock_filter */
	size_t octets;
};

/* False: *why_r says what is lacking, and *s_r is empty. */
bool syscalls_compile(enum sandbox_role role, struct syscalls *s_r,
		      const char **why_r) __attribute__((warn_unused_result));
void syscalls_release(struct syscalls *s);

/* An empty one holds nobody. False with errno. */
bool syscalls_confine(const struct syscalls *s)
	__attribute__((warn_unused_result));

#endif
