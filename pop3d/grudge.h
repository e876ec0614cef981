/* pop3d/grudge.h: log lines that must not come once a connection. */
#ifndef MAILROW_POP3D_GRUDGE_H
#define MAILROW_POP3D_GRUDGE_H

#include <stdint.h>

struct grudge {
	int64_t next; /* not before */
	uint64_t unsaid;
};

/* Logs a warning, at most one a grudge in ten seconds, and how many were not
 * logged. */
void grudge_warn(struct grudge *g, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
