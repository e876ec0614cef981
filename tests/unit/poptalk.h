/* tests/unit/poptalk.h: a whole conversation with the POP3 machine, taken down
 * line by line and judged afterwards: every command has its one answer, in
 * order; what LIST, STAT, UIDL and RETR say agrees; nothing is moved but what
 * was marked when QUIT came. The judge knows the protocol, not the machine. */
#ifndef MAILROW_TESTS_POPTALK_H
#define MAILROW_TESTS_POPTALK_H

#include "tests/unit/poprig.h"

enum { POPTALK_MAX = 8192 };

enum poptalk_verb {
	TALK_OTHER, /* one line is the answer */
	TALK_MANY,  /* lines up to a dot, if it is "+OK" */
	TALK_RETR,
	TALK_TOP,
	TALK_LIST,
	TALK_UIDL,
	TALK_STAT,
	TALK_DELE,
	TALK_RSET,
	TALK_QUIT
};

struct poptalk {
	struct poptalk_line {
		enum poptalk_verb verb;
		uint64_t number; /* 0: none */
	} line[POPTALK_MAX];
	size_t lines;
	bool marked[POPRIG_MAILS];
	const char *wrong; /* NULL: nothing */
};

/* The client's line, just before the machine gets it. */
void poptalk_note(struct poptalk *t, const struct popstate *s,
		  enum line_status status, struct span line);

/* Judges all that was said to the client from its greeting on, where one was
 * given. NULL, or what is wrong. */
const char *poptalk_judge(struct poptalk *t, const struct poprig *r,
			  struct span said, bool greeted);

#endif
