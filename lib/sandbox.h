/* lib/sandbox.h: what a process of ours may still ask of the kernel once it
 * has what it needs: a list of system calls (seccomp(2)) and no files, or none
 * to write (Landlock). It is made before the fork and entered after it, in two
 * steps, so that a session pays little. */
#ifndef MAILROW_LIB_SANDBOX_H
#define MAILROW_LIB_SANDBOX_H

#include "lib/buf.h"

enum sandbox_role {
	/* talks over the descriptors it has: no file, no socket, no process */
	SANDBOX_SESSION,
	/* connects, reads files and has threads: no program, no other process,
	 * no file that changes */
	SANDBOX_SERVICE
};

struct sandbox;

/* NULL: not made; why tells. What this build or this kernel lacks is left out
 * of it and named in why, which is otherwise empty. */
struct sandbox *sandbox_new(enum sandbox_role role, struct buf *why);
void sandbox_free(struct sandbox **s);

/* Both steps are for this thread and all that comes of it, for good: so before
 * the first thread. s may be NULL: then nothing but no new privileges. False,
 * with errno: the process must not go on.
 *
 * The first takes the files; a descriptor of s stays open. */
bool sandbox_drop_files(const struct sandbox *s)
	__attribute__((warn_unused_result));

/* The second takes the system calls. A forbidden one ends a session by SIGSYS.
 * In a service one that nobody makes but an intruder does the same, any other
 * fails with EPERM. */
bool sandbox_drop_calls(const struct sandbox *s)
	__attribute__((warn_unused_result));

#endif
