/* pop3d/popcmd.h: the table of commands, and a line cut into one. Pure. */
#ifndef MAILROW_POP3D_POPCMD_H
#define MAILROW_POP3D_POPCMD_H

#include "lib/reply.h"
#include "pop3d/popevent.h"

struct popstate;

enum {
	POPCMD_LINE_MAX = 253, /* 255 with CRLF (RFC 2449 s.4) */
	POPCMD_ARGS_MAX = 2
};

struct popcmd_args {
	struct span arg[POPCMD_ARGS_MAX];
	size_t n;
};

struct popcmd {
	const char *verb;
	unsigned states;
	size_t least, most;
	struct pop_event (*handler)(struct popstate *s,
				    const struct popcmd_args *a);
};

/* The handlers; each says what the command came to. */
#define POP_CMD(verb, states, least, most, handler)                            \
	struct pop_event pop_##handler(struct popstate *s,                     \
				       const struct popcmd_args *a);
#include "pop3d/popcmd.def"
#undef POP_CMD

/* The row for a line and its arguments, views of it; R_NONE, or why this
 * line is no command of that state. */
enum reply_id popcmd_find(struct span line, unsigned state,
			  const struct popcmd **cmd_r,
			  struct popcmd_args *args_r)
	__attribute__((warn_unused_result));

#endif
