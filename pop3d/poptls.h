/* pop3d/poptls.h: STLS (RFC 2595), and what may not be said before it. Pure.
 * The owner of the machine carries TLS; here is when it begins. */
#ifndef MAILROW_POP3D_POPTLS_H
#define MAILROW_POP3D_POPTLS_H

#include "pop3d/popevent.h"

struct popstate;

/* STLS would be taken now. */
bool poptls_offered(const struct popstate *s);

/* A password would come in clear, and none is wanted so. */
bool poptls_missing(const struct popstate *s);

/* The job is JOB_STLS. With octets of the client behind the command, which
 * somebody on the way may have put there, the session ends; else it is
 * answered, and TLS begins when the answer has left. */
void poptls_answer(struct popstate *s, bool octets_behind);

/* TLS is on. What was said before it is forgotten (RFC 2595 s.4). */
void poptls_begun(struct popstate *s);

#endif
