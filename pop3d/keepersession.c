/* pop3d/keepersession.c: see keepersession.h. */
#include "pop3d/keepersession.h"

#include <stdlib.h>

enum { MOVE_SIZE_FIRST = 64 };

void keepersession_init(struct keepersession *s,
			const struct keeper_session *told)
{
	*s = (struct keepersession){ .told = *told };
	s->told.challenge[sizeof(s->told.challenge) - 1] = '\0';
}

static void forget_move(struct keepersession *s)
{
	free(s->move);
	s->move = NULL;
	s->nmove = 0;
	s->move_size = 0;
}

void keepersession_release(struct keepersession *s)
{
	forget_move(s);
}

static void put_text(char *to, size_t size, struct span s)
{
	s = span_head(s, size - 1);
	if (s.n)
		memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

void keepersession_set_user(struct keepersession *s, struct span user)
{
	put_text(s->user, sizeof(s->user), user);
}

/* The states in which each request is in its order. */
static const struct {
	enum chan_request_type type;
	unsigned states;
} order[] = {
	{ CHAN_PEER, 1U << KS_LOGIN },
	{ CHAN_AUTH, 1U << KS_LOGIN },
	{ CHAN_READ, 1U << KS_IDLE },
	{ CHAN_MOVE, 1U << KS_IDLE | 1U << KS_GATHER },
	{ CHAN_TLS, 1U << KS_LOGIN },
};

static bool in_order(const struct keepersession *s, enum chan_request_type t)
{
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (order[i].type == t)
			return (order[i].states >> s->state & 1) != 0;
	return t == CHAN_BYE;
}

static const char *disorder(const struct keepersession *s)
{
	switch (s->state) {
	case KS_LOGIN:
		return "request before login";
	case KS_IDLE:
		return "second login";
	case KS_GATHER:
		return "another request inside a move";
	case KS_AUTH:
	case KS_LIST:
	case KS_READ:
	case KS_MOVE:
		break;
	}
	return "request while another is in flight";
}

static enum keepersession_todo drop(const char *why, const char **why_r)
{
	*why_r = why;
	return KT_DROP;
}

/* Only where the parent knows a proxy, only once, and not in the middle of
 * guessing passwords. */
static enum keepersession_todo take_peer(struct keepersession *s,
					 const struct chan_peer *p,
					 const char **why_r)
{
	static const struct ipaddr none;

	if (!s->told.proxy)
		return drop("another's address, but it is no proxy", why_r);
	if (s->peer_told || s->attempts)
		return drop("a second address", why_r);
	s->peer_told = true;
	s->proxy = s->told.remote;
	s->told.remote = p->remote;
	s->told.remote_port = p->remote_port;
	put_text(s->note, sizeof(s->note), p->note);
	if (memcmp(&p->local, &none, sizeof(none)) != 0) {
		s->told.local = p->local;
		s->told.local_port = p->local_port;
	}
	return KT_PEER;
}

static enum keepersession_todo take_auth(struct keepersession *s,
					 const struct chan_auth *a,
					 uint64_t attempts_max,
					 const char **why_r)
{
	if (s->attempts >= attempts_max)
		return drop("more logins than auth_attempts", why_r);
	if (s->told.needs_tls && !a->tls && a->mech == MECH_PLAIN)
		return drop("password in clear", why_r);
	s->attempts++;
	s->state = KS_AUTH;
	s->tls = a->tls;
	keepersession_set_user(s, a->user);
	put_text(s->method, sizeof(s->method), a->method);
	return KT_AUTH;
}

static enum keepersession_todo take_tls(struct keepersession *s,
					const struct chan_tls *t,
					const char **why_r)
{
	if (s->tls_told)
		return drop("TLS told twice", why_r);
	s->tls_told = true;
	s->tls = t->on;
	put_text(s->tls_version, sizeof(s->tls_version), t->version);
	put_text(s->tls_detail, sizeof(s->tls_detail), t->detail);
	return KT_WAIT;
}

static enum keepersession_todo take_read(struct keepersession *s,
					 const struct chan_read *r,
					 const char **why_r)
{
	if (r->n == 0 || r->n > CHAN_READ_MAX || (r->n > 1 && r->offset))
		return drop("malformed read", why_r);
	s->read = *r;
	s->begun = false;
	s->state = KS_READ;
	return KT_READ;
}

static bool move_reserve(struct keepersession *s, size_t n)
{
	size_t size = s->move_size ? s->move_size : MOVE_SIZE_FIRST;
	uint64_t *move;

	while (size < n)
		size *= 2;
	if (size == s->move_size)
		return true;
	move = reallocarray(s->move, size, sizeof(*move));
	if (!move)
		return false;
	s->move = move;
	s->move_size = size;
	return true;
}

/* No more uids than mails were listed: so a session cannot fill our memory. */
static enum keepersession_todo take_move(struct keepersession *s,
					 const struct chan_move *m,
					 const char **why_r)
{
	if (m->n > s->listed || s->nmove > s->listed - m->n)
		return drop("move of more mails than were listed", why_r);
	if (!move_reserve(s, s->nmove + m->n))
		return drop("no memory for its move", why_r);
	for (size_t i = 0; i < m->n; i++)
		s->move[s->nmove++] = chan_move_uid(m, i);
	s->state = m->last ? KS_MOVE : KS_GATHER;
	return m->last ? KT_MOVE : KT_WAIT;
}

enum keepersession_todo keepersession_take(struct keepersession *s,
					   struct span frame,
					   uint64_t attempts_max,
					   struct chan_request *r,
					   const char **why_r)
{
	if (!chan_parse_request(frame, r))
		return drop("malformed frame", why_r);
	if (!in_order(s, r->type))
		return drop(disorder(s), why_r);
	switch (r->type) {
	case CHAN_AUTH:
		return take_auth(s, &r->u.auth, attempts_max, why_r);
	case CHAN_READ:
		return take_read(s, &r->u.read, why_r);
	case CHAN_MOVE:
		return take_move(s, &r->u.move, why_r);
	case CHAN_PEER:
		return take_peer(s, &r->u.peer, why_r);
	case CHAN_TLS:
		return take_tls(s, &r->u.tls, why_r);
	case CHAN_BYE:
		break;
	}
	return KT_BYE;
}

void keepersession_bind(struct keepersession *s, uint64_t mailbox_id)
{
	s->bound = true;
	s->mailbox_id = mailbox_id;
	s->state = KS_LIST;
}

void keepersession_fail(struct keepersession *s)
{
	if (s->state == KS_AUTH || s->state == KS_LIST) {
		s->bound = false;
		s->mailbox_id = 0;
		s->listed = 0;
		s->last_uid = 0;
	}
	s->more = false;
	forget_move(s);
}

void keepersession_rest(struct keepersession *s)
{
	s->state = s->bound ? KS_IDLE : KS_LOGIN;
	s->more = false;
	forget_move(s);
}

const char *keepersession_state_text(const struct keepersession *s)
{
	static const char *const text[] = {
		[KS_LOGIN] = "before login", [KS_AUTH] = "login",
		[KS_LIST] = "list",          [KS_IDLE] = "idle",
		[KS_READ] = "read",          [KS_GATHER] = "quit",
		[KS_MOVE] = "quit",
	};

	return text[s->state];
}

/* A limit of 0 means no limit, so one that is used up must not become it:
 * the worker said that it was the end. */
void keepersession_advance(struct keepersession *s, uint64_t n)
{
	s->begun = true;
	s->read.offset += n;
	if (s->read.limit > n)
		s->read.limit -= n;
}
