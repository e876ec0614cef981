/* ctl/boxarg.h: the mailbox that an argument names: an address, or a number as
 * mailbox list prints it, which also names a retired one. */
#ifndef MAILROW_CTL_BOXARG_H
#define MAILROW_CTL_BOXARG_H

#include "ctl/tool.h"

struct boxarg {
	uint64_t id;
	char address[ADDR_MAX + 1]; /* a retired one's former; may be "" */
	bool retired;
	uint64_t messages, octets;
};

/* Asks on t->db, which is connected. EX_OK, or an exit code after a message. */
int boxarg_find(struct tool *t, const char *text, struct boxarg *b_r);

/* "3h", "2d": a number and s, m, h or d. False after a message. */
bool boxarg_duration(const char *text, uint64_t *seconds_r);

/* A duration before now, or "2026-11-23", "2026-11-23 10:00" in UTC; seconds
 * since the epoch. False after a message. */
bool boxarg_since(const char *text, uint64_t now, uint64_t *since_r);

#endif
