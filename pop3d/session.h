/* pop3d/session.h: the process that serves one connection. */
#ifndef MAILROW_POP3D_SESSION_H
#define MAILROW_POP3D_SESSION_H

#include "lib/conf.h"
#include "lib/daemon.h"
#include "lib/sandbox.h"
#include "lib/tls.h"

struct session_start {
	int client; /* both above 2 */
	int channel;
	const struct conf *conf;
	const struct daemon_user *user; /* NULL: we are not root, ids stay */
	const struct sandbox *sandbox;  /* of SANDBOX_SESSION, or NULL */
	const char *challenge; /* of APOP and CRAM-MD5, "" = both off */
	bool proxied;          /* begins with a PROXY header */
	bool xclient;          /* may say XCLIENT */
	struct tls *tls;       /* NULL or nothing loaded: there is no TLS */
	bool tls_at_once;      /* the listener is of pop3s_listen */
	bool needs_tls;        /* no password of this client in clear */
};

/* Runs in a forked child, in which SIGTERM is blocked; never returns. All
 * other descriptors are closed and the rights given up before the first octet
 * is read. */
void session_main(const struct session_start *start) __attribute__((noreturn));

#endif
