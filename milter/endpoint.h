/* milter/endpoint.h: where the MTA finds us, in the words of both sides: what
 * libmilter calls inet:PORT@HOST is inet:HOST:PORT for Postfix. Pure. */
#ifndef MAILROW_MILTER_ENDPOINT_H
#define MAILROW_MILTER_ENDPOINT_H

#include "lib/span.h"

enum { ENDPOINT_MAX = 256, ENDPOINT_PATH_MAX = 107 };

struct endpoint {
	char conn[ENDPOINT_MAX];          /* for libmilter */
	char mta[ENDPOINT_MAX];           /* for main.cf */
	char path[ENDPOINT_PATH_MAX + 1]; /* "" = a TCP port */
};

/* local:PATH, unix:PATH or a path alone; inet:PORT@HOST, inet:HOST:PORT. HOST
 * is a loopback address or localhost: the protocol knows no password, and who
 * can connect can store mail. False: *why_r says what is wrong. */
bool endpoint_parse(struct span text, struct endpoint *e_r, const char **why_r)
	__attribute__((warn_unused_result));

#endif
