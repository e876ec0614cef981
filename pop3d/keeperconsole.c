/* pop3d/keeperconsole.c: see keeperconsole.h. */
#include "pop3d/keeperconsole.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/esc.h"
#include "lib/log.h"
#include "lib/net.h"
#include "pop3d/keeperloop.h"

enum { OUT_MAX = 32 << 20, PATIENCE_MS = 10000, PAUSE_MS = 1000 };

static uint64_t tag_of(const struct keeperloop *k,
		       const struct console_client *c)
{
	return k->console.tag + 1 + (uint64_t)(c - k->console.client);
}

static bool watch(struct keeperloop *k, int op, int fd, uint64_t tag,
		  uint32_t events)
{
	struct epoll_event ev = { .events = events, .data = { .u64 = tag } };

	return epoll_ctl(k->epoll, op, fd, &ev) == 0;
}

bool keeperconsole_init(struct keeperloop *k, int listener, uint64_t tag)
{
	k->console.listener = listener;
	k->console.tag = tag;
	for (size_t i = 0; i < KEEPERCONSOLE_CLIENTS; i++)
		k->console.client[i].fd = -1;
	return listener < 0 || watch(k, EPOLL_CTL_ADD, listener, tag, EPOLLIN);
}

static void client_close(struct keeperloop *k, struct console_client *c)
{
	(void)close(c->fd);
	c->fd = -1;
	buf_release(&c->out);
	k->console.open--;
}

void keeperconsole_release(struct keeperloop *k)
{
	for (size_t i = 0; i < KEEPERCONSOLE_CLIENTS; i++)
		if (k->console.client[i].fd >= 0)
			client_close(k, &k->console.client[i]);
}

static void client_open(struct keeperloop *k, struct console_client *c, int fd)
{
	c->fd = fd;
	c->deadline = deadline_in(PATIENCE_MS);
	c->in = (struct line_buf){ .p = c->room, .size = sizeof(c->room) };
	buf_init(&c->out, OUT_MAX);
	c->sent = 0;
	k->console.open++;
	if (watch(k, EPOLL_CTL_ADD, fd, tag_of(k, c), EPOLLIN))
		return;
	log_warn("cannot watch the control socket: %s", strerror(errno));
	client_close(k, c);
}

/* The client stays in the queue and the listener readable: to be told so all
 * the time would help nobody. */
static void accept_later(struct keeperloop *k)
{
	log_warn("cannot accept at the control socket: %s", strerror(errno));
	if (watch(k, EPOLL_CTL_MOD, k->console.listener, k->console.tag, 0))
		k->console.resume_at = deadline_in(PAUSE_MS);
}

static bool is_out_of_something(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	       error == ENOMEM;
}

/* Beyond its places a client is closed unheard. */
static void accept_client(struct keeperloop *k)
{
	struct console_client *c = k->console.client;
	struct net_peer peer;
	int fd = net_accept(k->console.listener, true, &peer);

	if (fd < 0) {
		if (is_out_of_something(errno))
			accept_later(k);
		return;
	}
	while (c < k->console.client + KEEPERCONSOLE_CLIENTS && c->fd >= 0)
		c++;
	if (c < k->console.client + KEEPERCONSOLE_CLIENTS)
		client_open(k, c, fd);
	else
		(void)close(fd);
}

static void put_row(struct buf *b, const struct channel *c)
{
	const struct keepersession *s = &c->s;

	buf_printf(b, "%016" PRIx64 "\t", s->told.id);
	esc_put(b, s->bound ? span_of(s->user) : SPAN_EMPTY, ESC_MAX);
	buf_puts(b, "\t");
	ipaddr_put(b, &s->told.remote);
	buf_puts(b, "\t");
	if (s->peer_told)
		ipaddr_put(b, &s->proxy);
	buf_printf(b, "\t%" PRId64 "\t%s\t%s\t%" PRIu64 "\n", c->since,
		   s->tls ? "yes" : "no", keepersession_state_text(s),
		   c->octets);
}

static void answer_who(struct keeperloop *k, struct buf *b)
{
	for (uint32_t i = 0; i < k->nslot; i++)
		if (k->slot[i].channel)
			put_row(b, k->slot[i].channel);
}

static void answer_kick(struct keeperloop *k, struct span account,
			struct buf *b)
{
	struct esc_text text;
	unsigned n = keeperloop_stop_account(k, account, CHAN_END_KICKED);

	log_info("%u sessions of %s are told to end", n,
		 esc_text(&text, account));
	buf_printf(b, "%u\n", n);
}

/* What it does not know it answers with END alone. */
static void answer(struct keeperloop *k, struct span line, struct buf *b)
{
	struct span verb, rest;
	bool more = span_cut(line, '\t', &verb, &rest);

	if (!more && span_is(verb, "WHO"))
		answer_who(k, b);
	else if (more && span_is(verb, "KICK"))
		answer_kick(k, rest, b);
	buf_puts(b, "END\n");
}

/* False: it is done with, or broken. */
static bool client_write(struct keeperloop *k, struct console_client *c)
{
	while (c->sent < c->out.n) {
		ssize_t n = send(c->fd, c->out.p + c->sent, c->out.n - c->sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0)
			c->sent += (size_t)n;
		else if (errno == EAGAIN)
			return watch(k, EPOLL_CTL_MOD, c->fd, tag_of(k, c),
				     EPOLLOUT);
		else if (errno != EINTR)
			return false;
	}
	return false;
}

static bool client_read(struct keeperloop *k, struct console_client *c)
{
	struct line_room room = line_room(&c->in);
	ssize_t n = recv(c->fd, room.p, room.n, MSG_DONTWAIT);
	enum line_status status;
	struct span line;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return false;
	line_added(&c->in, (size_t)n);
	status = line_take(&c->in, &line);
	if (status == LINE_MORE)
		return true;
	if (status != LINE_OK)
		return false;
	answer(k, line, &c->out);
	return buf_ok(&c->out) && client_write(k, c);
}

void keeperconsole_event(struct keeperloop *k, int client, uint32_t events)
{
	struct console_client *c;
	bool stays;

	if (client < 0) {
		accept_client(k);
		return;
	}
	c = &k->console.client[client];
	if (c->fd < 0)
		return;
	stays = events & EPOLLOUT ? client_write(k, c)
		: c->out.n        ? false
				  : client_read(k, c);
	if (!stays)
		client_close(k, c);
}

bool keeperconsole_awaits(const struct keeperloop *k)
{
	return k->console.open || k->console.resume_at;
}

static void resume(struct keeperloop *k, int64_t now)
{
	if (k->console.resume_at && k->console.resume_at <= now &&
	    watch(k, EPOLL_CTL_MOD, k->console.listener, k->console.tag,
		  EPOLLIN))
		k->console.resume_at = 0;
}

void keeperconsole_expire(struct keeperloop *k, int64_t now)
{
	resume(k, now);
	for (size_t i = 0; k->console.open && i < KEEPERCONSOLE_CLIENTS; i++) {
		struct console_client *c = &k->console.client[i];

		if (c->fd >= 0 && c->deadline <= now)
			client_close(k, c);
	}
}
