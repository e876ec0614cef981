/* pop3d/keeper.h: the keeper, the only part of mailrow-pop3d with database
 * connections. */
#ifndef MAILROW_POP3D_KEEPER_H
#define MAILROW_POP3D_KEEPER_H

#include "lib/conf.h"
#include "lib/network.h"

enum { KEEPER_CHALLENGE_MAX = 128 };

/* What the parent tells of a new session: one packet on the control socket
 * (SOCK_SEQPACKET), with the keeper's end of the session's channel beside it
 * (net_send_fd()). */
struct keeper_session {
	uint64_t id; /* for the log: session=<...> in hex */
	struct ipaddr remote, local;
	uint16_t remote_port, local_port;
	bool proxy;                           /* may tell another's address */
	char challenge[KEEPER_CHALLENGE_MAX]; /* of APOP and CRAM-MD5; "" =
						 both are off */
	bool needs_tls; /* no password of this client in clear */
};

/* Tells the parent, by one octet on the control socket, that sessions are
 * served and the configuration is the one the files held. */
void keeper_say_ready(int control);

/* Runs as pop3_user until the control socket is closed or SIGTERM; returns an
 * exit code. Called in a child of the parent with nothing but the control
 * socket open (and stdin, stdout, stderr), and the listener of the
 * administrator's socket, -1: there is none. */
int keeper_main(const struct conf *c, int control, int console);

/* Where SIGHUP finds the configuration (cli.conf_file); said before
 * keeper_main(). The string must stay. Without it SIGHUP changes nothing. */
void keeper_set_conf_file(const char *file);

#endif
