/* auth/serve.h: the event loop. It only moves lines; whatever may take long
 * is with the workers. */
#ifndef MAILROW_AUTH_SERVE_H
#define MAILROW_AUTH_SERVE_H

#include "auth/client.h"
#include "auth/guard.h"
#include "auth/lastlogin.h"
#include "auth/settings.h"
#include "auth/workers.h"

enum serve_listener {
	LISTEN_MTA,
	LISTEN_POP3,
	LISTEN_SASLAUTHD, /* -1: none */
	SERVE_LISTENERS
};

/* What passwords lie in. */
struct serve_pools {
	struct secret_pool *lines;    /* CLIENT_LINE_SIZE each */
	struct secret_pool *attempts; /* a struct attempt each */
};

struct serve {
	struct settings *settings;
	struct workers *workers;
	struct workers *clerk; /* one: what no login waits for */
	const char *conf_file;
	int listener[SERVE_LISTENERS];
	int epoll_fd, event_fd, signal_fd;

	struct client *clients;
	struct client *dead; /* closed in this turn of the loop */
	size_t nclients;
	uint64_t last_cuid;
	unsigned mechs; /* offered, bits 1 << enum auth_mech */
	size_t busy;    /* attempts that will be answered */

	bool accepting;
	int64_t accept_again; /* while not accepting */
	int64_t look_at;      /* an attempt may be due then */
	struct guard guard;
	struct serve_pools pools;
	int64_t sync_at;
	int64_t flush_at;
	struct lastlogin lastlogin;
	bool flushing;

	bool stopping;
	int64_t stop_by;
};

/* While root may still lock memory. Fatal if there is none. */
void serve_make_pools(struct serve_pools *p);

/* Runs until SIGTERM; returns the exit code. */
int serve_run(struct conf *c, const char *conf_file,
	      const int listener[SERVE_LISTENERS],
	      const struct serve_pools *pools);

/* For client.c. */
void serve_add_client(struct serve *s, struct client *c);
void serve_drop_client(struct serve *s, struct client *c);
void serve_look_at(struct serve *s, int64_t due);

#endif
