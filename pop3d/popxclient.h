/* pop3d/popxclient.h: whose connection it is when a proxy stands between: by a
 * PROXY header, or by the command XCLIENT of Dovecot's proxies. Pure. */
#ifndef MAILROW_POP3D_POPXCLIENT_H
#define MAILROW_POP3D_POPXCLIENT_H

#include "lib/proxyproto.h"
#include "pop3d/popevent.h"

struct popstate;

/* A PROXY header has told it: the keeper hears of it, then the client is
 * greeted. */
void popxclient_proxied(struct popstate *s, const struct proxyproto *p);

/* For popstate.c. */
struct pop_event popxclient_reply(struct popstate *s, struct chan_reply *r);

#endif
