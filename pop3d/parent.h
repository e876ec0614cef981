/* pop3d/parent.h: the parent: binds, counts, limits, forks, reaps, and keeps
 * a keeper running. It parses nothing that comes from the network, and stays
 * small: each session is a fork of it. */
#ifndef MAILROW_POP3D_PARENT_H
#define MAILROW_POP3D_PARENT_H

#include "lib/conf.h"
#include "lib/daemon.h"
#include "lib/sandbox.h"
#include "lib/tls.h"
#include "pop3d/clients.h"
#include "pop3d/grudge.h"

enum { PARENT_LISTENERS_MAX = 16 };

/* What bounds the number of sessions, by its option. */
enum parent_limit {
	LIMIT_SESSIONS,
	LIMIT_ADDRESS,
	LIMIT_NETWORK,
	LIMIT_COUNT /* none is reached */
};

/* TLS begins at once, or with STLS. */
struct parent_listener {
	int fd; /* -1: another reload is to open it */
	bool tls;
	bool given;       /* by the service manager, which says where */
	char address[96]; /* as the option names it */
};

struct parent {
	struct conf *conf;
	const char *conf_file;
	char **argv;
	const struct daemon_user *login; /* NULL: not root */
	struct sandbox *sandbox;         /* of the sessions; NULL: none */
	struct parent_listener listener[PARENT_LISTENERS_MAX];
	size_t listeners;
	unsigned listen_changes;
	int spare;            /* given up to tell a client that we are full */
	int64_t accept_after; /* 0, or when to accept again */
	struct clients clients;
	struct tls *tls;
	int64_t tickets_at, endings_at; /* when parent_tls_tend() is due */
	uint64_t next_id;
	unsigned crashes;
	pid_t keeper; /* 0: none runs */
	int control;  /* -1: none runs */
	int console;  /* the administrator's socket, the keeper's to serve; or
			 -1 */
	int64_t keeper_started, keeper_at, keeper_delay;
	bool keeper_proven; /* one has lived long enough */
	bool keeper_ready;  /* it has said that it serves */
	int exit_code;
	bool stopping;
	int signals;           /* signalfd */
	int64_t patient_after; /* when a crowd may be waited for again */
	struct grudge crowded[LIMIT_COUNT], failing;
};

/* Runs until SIGTERM; returns the exit code. conf is taken over. */
int parent_run(struct conf *conf, const char *conf_file, char **argv);

/* Takes note of children that ended. */
void parent_reap(struct parent *p);

/* parent_listen.c: the sockets to accept on: the service manager's, or else
 * those of pop3_listen and pop3s_listen. */
void parent_listen_start(struct parent *p);

/* Opens and closes what the options of c add and take away; all stay as they
 * are when one cannot be opened. */
void parent_listen_reload(struct parent *p, const struct conf *c);
void parent_listen_close(struct parent *p);

/* parent_accept.c: accepts what waits on a listener and forks a session for
 * each, or tells the client why not. */
void parent_accept(struct parent *p, const struct parent_listener *l);

/* parent_tls.c */

/* Loads the certificates; exits when there is a mistake that leaves none. */
void parent_tls_start(struct parent *p);

/* Whether it would not exit with c; a mistake is told. */
bool parent_tls_would_start(const struct conf *c)
	__attribute__((warn_unused_result));

/* Those that c names, as far as they are good. */
void parent_tls_reload(struct parent *p, const struct conf *c);

/* Makes ticket keys and tells of certificates that are about to end, when it
 * is time. Returns when it is time again (clock_ms()). */
int64_t parent_tls_tend(struct parent *p);

/* Whether this client may send no password in clear. */
bool parent_tls_needed(const struct parent *p, const struct ipaddr *client);

/* parent_keeper.c */

/* Listens on pop3_control_socket. Without it there is service, but no mailrow
 * pop3. */
void parent_keeper_open_console(struct parent *p);

/* Starts a keeper if none runs and it is time. */
void parent_keeper_tend(struct parent *p);

/* There is something to read on the control socket. */
void parent_keeper_hear(struct parent *p);

/* It is gone, with that status of waitpid(). */
void parent_keeper_died(struct parent *p, int status);

/* Passes its end of a channel on. False: not now. */
struct keeper_session;
bool parent_keeper_tell(struct parent *p, const struct keeper_session *told,
			int channel) __attribute__((warn_unused_result));

/* parent_exec.c */

/* Runs the program anew in this process, with another memory layout; the
 * listeners, the keeper and the sessions stay. Returns if it cannot. */
void parent_exec_again(struct parent *p);

/* Whether this is such a start. */
bool parent_exec_is_again(void);

/* The other side of that: takes over what was kept. False: nothing was, this
 * is a fresh start. The table of clients must be there. */
bool parent_exec_resume(struct parent *p);

#endif
