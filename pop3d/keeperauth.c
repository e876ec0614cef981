/* pop3d/keeperauth.c: see keeperauth.h. */
#include "pop3d/keeperauth.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/net.h"

enum {
	OUT_MAX = 1 << 20,
	REQUESTS_MAX = 65536,
	FORGOTTEN_MAX = 1024 /* owed by authd: it is out of its mind */
};

static const uint32_t NO_REQUEST = UINT32_MAX;

bool keeperauth_init(struct keeperauth *a, const char *path, int epoll,
		     uint64_t tag, struct keeperauth_answer answer)
{
	*a = (struct keeperauth){ .path = path,
				  .epoll = epoll,
				  .tag = tag,
				  .answer = answer,
				  .fd = -1,
				  .first_free = NO_REQUEST };
	buf_init(&a->out, OUT_MAX);
	buf_init(&a->scratch, AUTHPROTO_LINE_MAX);
	a->in.size = AUTHPROTO_LINE_MAX;
	a->in.p = malloc(a->in.size);
	return a->in.p != NULL;
}

/* A request's number is free for another one. */
static void request_free(struct keeperauth *a, uint32_t id)
{
	a->request[id].who = 0;
	a->request[id].sent = false;
	a->request[id].next_free = a->first_free;
	a->first_free = id;
}

static bool requests_grow(struct keeperauth *a)
{
	uint32_t n = a->nrequest ? a->nrequest * 2 : 64;
	struct keeperauth_request *r;

	if (n > REQUESTS_MAX)
		return false;
	r = reallocarray(a->request, n, sizeof(*r));
	if (!r)
		return false;
	a->request = r;
	/* ids begin with 1 */
	for (uint32_t i = n; i-- > (a->nrequest ? a->nrequest : 1);)
		request_free(a, i);
	a->nrequest = n;
	return true;
}

/* Calls back; the number stays taken while authd owes the answer. */
static void tell(struct keeperauth *a, uint32_t id,
		 const struct authproto_answer *answer)
{
	uint64_t who = a->request[id].who;

	a->request[id].who = 0;
	a->waiting--;
	a->answer.fn(a->answer.arg, who, answer);
}

/* The answers of a connection that is gone will never come. */
static void disconnect(struct keeperauth *a, const char *why)
{
	if (a->fd < 0)
		return;
	if (!a->complained && a->waiting)
		log_warn("lost connection to '%s': %s", a->path, why);
	a->complained = a->complained || a->waiting;
	close(a->fd);
	a->fd = -1;
	a->forgotten = 0;
	buf_wipe(&a->out);
	line_wipe(&a->in);
	a->in = (struct line_buf){ .p = a->in.p, .size = a->in.size };
	for (uint32_t i = 1; i < a->nrequest; i++) {
		if (!a->request[i].sent)
			continue;
		if (a->request[i].who)
			tell(a, i, NULL);
		request_free(a, i);
	}
}

void keeperauth_release(struct keeperauth *a)
{
	/* nothing to complain of */
	a->complained = true;
	disconnect(a, "we stop");
	buf_wipe(&a->out);
	buf_wipe(&a->scratch);
	free(a->in.p);
	free(a->request);
	a->in.p = NULL;
	a->request = NULL;
}

static bool connect_failed(struct keeperauth *a, const char *why)
{
	if (!a->complained)
		log_warn("cannot connect to '%s': %s", a->path, why);
	a->complained = true;
	return false;
}

static bool watch(struct keeperauth *a, int op, bool out)
{
	struct epoll_event ev = { .events = EPOLLIN | (out ? EPOLLOUT : 0U),
				  .data = { .u64 = a->tag } };

	a->want_out = out;
	return epoll_ctl(a->epoll, op, a->fd, &ev) == 0;
}

/* A full queue at authd is as good as none: the loop does not wait. */
static bool ready(struct keeperauth *a)
{
	if (a->fd >= 0)
		return true;
	a->fd = net_connect_unix(a->path, clock_ms());
	if (a->fd < 0)
		return connect_failed(a, strerror(errno));
	if (!net_set_nonblocking(a->fd, true) ||
	    !watch(a, EPOLL_CTL_ADD, false)) {
		close(a->fd);
		a->fd = -1;
		return connect_failed(a, strerror(errno));
	}
	authproto_put_hello(&a->out, (uint64_t)getpid());
	return true;
}

bool keeperauth_ask(struct keeperauth *a, uint64_t who,
		    const struct authproto_login *l, int64_t now)
{
	size_t before;
	uint32_t id;

	FAULT_PASS(KEEPER_AUTH);
	if (!ready(a))
		return false;
	if (a->first_free == NO_REQUEST && !requests_grow(a))
		return false;
	id = a->first_free;
	before = a->out.n;
	authproto_put_auth(&a->out, id, l);
	if (!buf_ok(&a->out)) {
		/* half a line must not stay behind */
		explicit_bzero(a->out.p + before, a->out.n - before);
		a->out.n = before;
		a->out.failed = false;
		return false;
	}
	a->first_free = a->request[id].next_free;
	a->request[id].who = who;
	a->request[id].deadline = now + KEEPERAUTH_TIMEOUT_MS;
	a->request[id].sent = true;
	a->waiting++;
	return true;
}

/* Overwrites what has left: passwords stand there. */
static void forget_sent(struct keeperauth *a, size_t n)
{
	size_t left = a->out.n - n;

	buf_drop(&a->out, n);
	explicit_bzero(a->out.p + left, n);
}

void keeperauth_flush(struct keeperauth *a)
{
	if (a->fd < 0)
		return;
	while (a->out.n) {
		ssize_t n = send(a->fd, a->out.p, a->out.n, MSG_NOSIGNAL);

		if (n > 0) {
			FAULT_PASS(KEEPER_AUTH_SENT);
			forget_sent(a, (size_t)n);
		} else if (errno == EAGAIN) {
			break;
		} else if (errno != EINTR) {
			disconnect(a, strerror(errno));
			return;
		}
	}
	if ((a->out.n > 0) != a->want_out &&
	    !watch(a, EPOLL_CTL_MOD, a->out.n > 0))
		disconnect(a, strerror(errno));
}

/* An answer nobody waits for is what a session left behind that died. */
static void take_answer(struct keeperauth *a, const struct authproto_answer *n)
{
	uint32_t id;

	if (n->kind == AUTHPROTO_A_DONE) {
		if (a->complained)
			log_info("'%s' is back", a->path);
		a->complained = false;
		return;
	}
	if (n->kind == AUTHPROTO_A_OTHER || n->id == 0 ||
	    n->id >= a->nrequest || !a->request[n->id].sent)
		return;
	id = (uint32_t)n->id;
	if (!a->request[id].who) {
		a->forgotten--;
	} else {
		bool known = n->kind == AUTHPROTO_A_OK ||
			     n->kind == AUTHPROTO_A_FAIL ||
			     n->kind == AUTHPROTO_A_CLOSED;

		tell(a, id, known ? n : NULL);
	}
	request_free(a, id);
}

/* False: authd does not speak its protocol. */
static bool take_lines(struct keeperauth *a)
{
	struct authproto_answer answer;
	enum line_status status;
	struct span line;

	while ((status = line_take(&a->in, &line)) == LINE_OK) {
		if (!authproto_parse_answer(line, &a->scratch, &answer))
			return false;
		take_answer(a, &answer);
	}
	return status == LINE_MORE;
}

static void receive(struct keeperauth *a)
{
	struct line_room room = line_room(&a->in);
	ssize_t n = recv(a->fd, room.p, room.n, 0);

	if (n > 0) {
		line_added(&a->in, (size_t)n);
		if (!take_lines(a))
			disconnect(a, "malformed answer");
	} else if (n == 0) {
		disconnect(a, "closed by mailrow-authd");
	} else if (errno != EAGAIN && errno != EINTR) {
		disconnect(a, strerror(errno));
	}
}

void keeperauth_event(struct keeperauth *a, uint32_t events)
{
	if (a->fd >= 0 && (events & EPOLLOUT))
		keeperauth_flush(a);
	if (a->fd >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		receive(a);
}

void keeperauth_expire(struct keeperauth *a, int64_t now)
{
	for (uint32_t i = 1; a->waiting && i < a->nrequest; i++) {
		if (!a->request[i].who || a->request[i].deadline > now)
			continue;
		a->forgotten++;
		tell(a, i, NULL);
	}
	if (a->forgotten > FORGOTTEN_MAX)
		disconnect(a, "it owes too many answers");
}
