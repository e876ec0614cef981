#include "pop3d/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "lib/net.h"
#include "lib/reply.h"
#include "pop3d/keeper.h"
#include "pop3d/session.h"

enum {
	AT_ONCE = 64, /* accepted before children are reaped */
	MOMENT_MS = 10,
	PAUSE_MS = 1000, /* after a failure that will last */
	HOST_MAX = 80
};

static void pause_accepting(struct parent *p, const char *what)
{
	grudge_warn(&p->failing, "%s", what);
	p->accept_after = deadline_in(PAUSE_MS);
}

/* Tells why in one line, without a process (RFC 2449 s.8). Who waits for a
 * handshake could not read it. */
static void turn_away(int client, bool tls, enum reply_id reply)
{
	struct buf line = BUF_INIT(512);

	if (!tls)
		reply_put_pop3(&line, reply);
	if (line.n)
		(void)send(client, line.p, line.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	buf_release(&line);
	(void)close(client);
}

static const char *const limit_option[LIMIT_COUNT] = {
	[LIMIT_SESSIONS] = "pop3_max_sessions",
	[LIMIT_ADDRESS] = "pop3_max_per_address",
	[LIMIT_NETWORK] = "pop3_max_per_network",
};

static bool is_proxy(const struct conf *c, const struct ipaddr *a)
{
	return network_set_has(&c->pop3_proxy_networks, a);
}

/* A proxy has one address for all its clients. */
static bool speaks_for_others(const struct conf *c, const struct ipaddr *a)
{
	return is_proxy(c, a) || network_set_has(&c->trusted_networks, a);
}

static enum parent_limit limit_reached(const struct parent *p,
				       const struct ipaddr *a)
{
	const struct conf *c = p->conf;

	if (p->clients.n >= c->pop3_max_sessions)
		return LIMIT_SESSIONS;
	if (speaks_for_others(c, a))
		return LIMIT_COUNT;
	if (clients_of(&p->clients, a) >= c->pop3_max_per_address)
		return LIMIT_ADDRESS;
	if (clients_of_network(&p->clients, a) >= c->pop3_max_per_network)
		return LIMIT_NETWORK;
	return LIMIT_COUNT;
}

/* On a busy machine sessions that have said good-bye still wait for their
 * turn to exit. Now and then they are given a moment. */
static void let_sessions_end(struct parent *p)
{
	int64_t now = clock_ms();

	if (now >= p->patient_after) {
		(void)poll(NULL, 0, MOMENT_MS);
		p->patient_after = now + 10 * MOMENT_MS;
	}
	parent_reap(p);
}

/* Of a proxy's clients only one is to blame, and it is not known which. */
static bool is_banned(const struct parent *p, const struct ipaddr *a)
{
	return !speaks_for_others(p->conf, a) &&
	       clients_banned(&p->clients, a, clock_ms());
}

static enum reply_id why_not(struct parent *p, const struct ipaddr *a)
{
	enum parent_limit limit = limit_reached(p, a);
	char text[IPADDR_TEXT_MAX];

	if (limit != LIMIT_COUNT) {
		let_sessions_end(p);
		limit = limit_reached(p, a);
	}
	if (limit != LIMIT_COUNT) {
		metric_add_named(M_REFUSED, limit_option[limit]);
		grudge_warn(&p->crowded[limit],
			    "too many sessions: %s reached by %s",
			    limit_option[limit], ipaddr_text(a, text));
		return R_POP_BUSY;
	}
	if (p->keeper && !is_banned(p, a))
		return R_NONE;
	metric_add_named(M_REFUSED, p->keeper ? "crash" : "no keeper");
	return R_POP_TEMP;
}

/* Nobody can foresee it, and none comes twice (RFC 1939 s.7). */
static bool make_challenge(const struct conf *c, char *to, size_t size)
{
	uint64_t r[2];

	to[0] = '\0';
	if (!c->apop && !c->cram_md5)
		return true;
	if (getrandom(r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return false;
	(void)snprintf(to, size, "<%016llx%016llx@%.*s>",
		       (unsigned long long)r[0], (unsigned long long)r[1],
		       HOST_MAX, net_hostname(c->hostname));
	return true;
}

static bool describe(struct parent *p, const struct net_peer *peer,
		     struct keeper_session *told)
{
	memset(told, 0, sizeof(*told));
	told->id = p->next_id++;
	told->remote = peer->remote;
	told->remote_port = peer->remote_port;
	told->local = peer->local;
	told->local_port = peer->local_port;
	told->proxy = speaks_for_others(p->conf, &peer->remote);
	told->needs_tls = parent_tls_needed(p, &peer->remote);
	return make_challenge(p->conf, told->challenge,
			      sizeof(told->challenge));
}

/* The keeper is told first, so that it works while the fork does. */
static bool begin_session(struct parent *p, int client, bool tls, int channel,
			  int keepers_end, const struct net_peer *peer)
{
	struct keeper_session told;
	pid_t pid;

	if (!describe(p, peer, &told) ||
	    !parent_keeper_tell(p, &told, keepers_end))
		return false;
	FAULT_PASS(PARENT_FORK);
	pid = fork();
	if (pid == 0)
		session_main(&(struct session_start){
			.client = client,
			.channel = channel,
			.conf = p->conf,
			.user = p->login,
			.sandbox = p->sandbox,
			.challenge = told.challenge,
			.proxied = is_proxy(p->conf, &peer->remote),
			.xclient = !is_proxy(p->conf, &peer->remote) &&
				   network_set_has(&p->conf->trusted_networks,
						   &peer->remote),
			.tls = p->tls,
			.tls_at_once = tls,
			.needs_tls = told.needs_tls,
		});
	if (pid < 0) {
		pause_accepting(p, "cannot fork");
		return false;
	}
	FAULT_PASS(PARENT_FORKED);
	log_debug("session %llx is process %ld", (unsigned long long)told.id,
		  (long)pid);
	return clients_add(&p->clients, pid, &peer->remote);
}

static void serve(struct parent *p, int client, bool tls,
		  const struct net_peer *peer)
{
	int pair[2];
	bool begun;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		pause_accepting(p, "cannot make a socket pair");
		turn_away(client, tls, R_POP_TEMP);
		return;
	}
	begun = begin_session(p, client, tls, pair[0], pair[1], peer);
	(void)close(pair[0]);
	(void)close(pair[1]);
	if (begun)
		(void)close(client);
	else
		turn_away(client, tls, R_POP_TEMP);
}

/* Out of descriptors: the spare one makes room to tell a client so. */
static void accept_with_spare(struct parent *p, const struct parent_listener *l)
{
	struct net_peer peer;
	int client;

	pause_accepting(p, "cannot accept: out of descriptors");
	(void)close(p->spare);
	client = net_accept(l->fd, true, &peer);
	if (client >= 0)
		turn_away(client, l->tls, R_POP_BUSY);
	p->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Most errors are those of the one connection (accept(2)). */
static bool accept_failed(struct parent *p, const struct parent_listener *l,
			  int error)
{
	if (error == EAGAIN)
		return false;
	if (error == EMFILE || error == ENFILE)
		accept_with_spare(p, l);
	else if (error == ENOBUFS || error == ENOMEM)
		pause_accepting(p, "cannot accept: out of memory");
	return p->accept_after == 0;
}

static bool accept_one(struct parent *p, const struct parent_listener *l)
{
	struct net_peer peer;
	enum reply_id reply;
	int client = net_accept(l->fd, false, &peer);

	if (client < 0)
		return accept_failed(p, l, errno);
	FAULT_PASS(PARENT_ACCEPTED);
	reply = why_not(p, &peer.remote);
	metric_add(reply == R_NONE ? M_SESSION : M_SESSION_AWAY, 1);
	if (reply == R_NONE)
		serve(p, client, l->tls, &peer);
	else
		turn_away(client, l->tls, reply);
	metric_set(M_SESSIONS, p->clients.n);
	return p->accept_after == 0;
}

void parent_accept(struct parent *p, const struct parent_listener *l)
{
	for (int i = 0; i < AT_ONCE && accept_one(p, l); i++)
		;
}
