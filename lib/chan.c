/* lib/chan.c: see chan.h. */
#include "lib/chan.h"

/* A cursor over a frame. What is missing reads as 0 and sets bad, so that a
 * decoder checks once, at its end. */
struct cursor {
	struct span s;
	bool bad;
};

static struct span take(struct cursor *c, size_t n)
{
	struct span head = { c->s.p, n };

	if (c->bad || n > c->s.n) {
		c->bad = true;
		return SPAN_EMPTY;
	}
	c->s = span_skip(c->s, n);
	return head;
}

/* Lists are made of these: no loop, which compilers would not see through. */
static uint64_t get_u64(const char *p)
{
	const uint8_t *o = (const uint8_t *)p;

	return (uint64_t)o[0] << 56 | (uint64_t)o[1] << 48 |
	       (uint64_t)o[2] << 40 | (uint64_t)o[3] << 32 |
	       (uint64_t)o[4] << 24 | (uint64_t)o[5] << 16 |
	       (uint64_t)o[6] << 8 | (uint64_t)o[7];
}

static void set_u64(char *p, uint64_t v)
{
	uint8_t *o = (uint8_t *)p;

	o[0] = (uint8_t)(v >> 56);
	o[1] = (uint8_t)(v >> 48);
	o[2] = (uint8_t)(v >> 40);
	o[3] = (uint8_t)(v >> 32);
	o[4] = (uint8_t)(v >> 24);
	o[5] = (uint8_t)(v >> 16);
	o[6] = (uint8_t)(v >> 8);
	o[7] = (uint8_t)v;
}

static uint64_t take_number(struct cursor *c, size_t octets)
{
	struct span s = take(c, octets);
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | (uint8_t)s.p[i];
	return v;
}

static bool take_flag(struct cursor *c)
{
	uint64_t v = take_number(c, 1);

	if (v > 1)
		c->bad = true;
	return v == 1;
}

/* A text behind its length, which is at most max. */
static struct span take_text(struct cursor *c, size_t length_octets, size_t max)
{
	uint64_t n = take_number(c, length_octets);

	if (n > max)
		c->bad = true;
	return take(c, (size_t)n);
}

static bool ended(const struct cursor *c)
{
	return !c->bad && c->s.n == 0;
}

static void put_number(struct buf *b, uint64_t v, size_t octets)
{
	char a[8];

	for (size_t i = octets; i > 0; i--) {
		a[i - 1] = (char)(uint8_t)(v & 0xff);
		v >>= 8;
	}
	buf_put(b, a, octets);
}

static void put_text(struct buf *b, struct span s, size_t length_octets,
		     size_t max)
{
	if (s.n > max)
		b->failed = true;
	put_number(b, s.n, length_octets);
	buf_put_span(b, s);
}

const char *chan_end_text(enum chan_end e)
{
	static const char *const text[CHAN_END_COUNT] = {
		[CHAN_END_QUIT] = "Logged out",
		[CHAN_END_CLOSED] = "Connection closed",
		[CHAN_END_IDLE] = "Inactivity",
		[CHAN_END_LOGIN_TIMEOUT] = "Inactivity before login",
		[CHAN_END_ERRORS] = "Too many errors",
		[CHAN_END_ATTEMPTS] = "Too many failed logins",
		[CHAN_END_SESSION_MAX] = "Session too long",
		[CHAN_END_TROUBLE] = "Internal trouble",
		[CHAN_END_STOPPED] = "Server shutting down",
		[CHAN_END_CROWDED] = "Too many connections",
		[CHAN_END_PROXY] = "Not a PROXY header",
		[CHAN_END_KICKED] = "Ended by the administrator",
		[CHAN_END_TLS] = "TLS handshake failed",
		[CHAN_END_DISABLED] = "Account not open any more",
		[CHAN_END_TAKEN] = "Mailbox taken over",
	};

	return (unsigned)e < CHAN_END_COUNT ? text[e] : "unknown";
}

/* AUTH: mech 1, tls 1, method 1+n, user 2+n, secret 2+n. */

enum { METHOD_MAX = 16, DIGEST_SIZE = 16 };

/* The method reaches the log as it is, so a session may not invent one. */
static bool method_valid(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		bool upper = s.p[i] >= 'A' && s.p[i] <= 'Z';
		bool digit = s.p[i] >= '0' && s.p[i] <= '9';

		if (!upper && !digit && s.p[i] != '-')
			return false;
	}
	return s.n > 0 && s.n <= METHOD_MAX;
}

static bool auth_valid(const struct chan_auth *a)
{
	if (!method_valid(a->method))
		return false;
	if (a->mech == MECH_APOP || a->mech == MECH_CRAM_MD5)
		return a->secret.n == DIGEST_SIZE;
	return a->mech == MECH_PLAIN;
}

static bool parse_auth(struct cursor *c, struct chan_auth *a)
{
	a->mech = (enum auth_mech)take_number(c, 1);
	a->tls = take_flag(c);
	a->method = take_text(c, 1, METHOD_MAX);
	a->user = take_text(c, 2, AUTHPROTO_NAME_MAX);
	a->secret = take_text(c, 2, CHAN_SECRET_MAX);
	return ended(c) && auth_valid(a);
}

void chan_put_auth(struct buf *b, const struct chan_auth *a)
{
	if (!auth_valid(a))
		b->failed = true;
	buf_putc(b, CHAN_AUTH);
	put_number(b, (uint64_t)a->mech, 1);
	put_number(b, a->tls, 1);
	put_text(b, a->method, 1, METHOD_MAX);
	put_text(b, a->user, 2, AUTHPROTO_NAME_MAX);
	put_text(b, a->secret, 2, CHAN_SECRET_MAX);
}

/* READ: offset 8, limit 8, n 1, uids 8 each. */

static bool read_valid(const struct chan_read *r)
{
	uint64_t end;

	if (r->n == 0 || r->n > CHAN_READ_MAX)
		return false;
	if (r->n > 1 && r->offset != 0)
		return false;
	return !__builtin_add_overflow(r->offset, r->limit, &end);
}

static bool parse_read(struct cursor *c, struct chan_read *r)
{
	r->offset = take_number(c, 8);
	r->limit = take_number(c, 8);
	r->n = (size_t)take_number(c, 1);
	if (!read_valid(r))
		return false;
	for (size_t i = 0; i < r->n; i++)
		r->uid[i] = take_number(c, 8);
	return ended(c);
}

void chan_put_read(struct buf *b, const struct chan_read *r)
{
	if (!read_valid(r)) {
		b->failed = true;
		return;
	}
	buf_putc(b, CHAN_READ);
	put_number(b, r->offset, 8);
	put_number(b, r->limit, 8);
	put_number(b, r->n, 1);
	for (size_t i = 0; i < r->n; i++)
		put_number(b, r->uid[i], 8);
}

/* MOVE: last 1, n 2, uids 8 each. */

static bool parse_move(struct cursor *c, struct chan_move *m)
{
	m->last = take_flag(c);
	m->n = (size_t)take_number(c, 2);
	if (m->n > CHAN_UIDS_MAX)
		return false;
	m->raw = take(c, m->n * 8).p;
	return ended(c);
}

uint64_t chan_move_uid(const struct chan_move *m, size_t i)
{
	struct cursor c = { .s = { m->raw, m->n * 8 } };

	c.s = span_skip(c.s, i * 8);
	return take_number(&c, 8);
}

void chan_put_move(struct buf *b, bool last, const uint64_t *uid, size_t n)
{
	if (n > CHAN_UIDS_MAX) {
		b->failed = true;
		return;
	}
	buf_putc(b, CHAN_MOVE);
	put_number(b, last, 1);
	put_number(b, n, 2);
	for (size_t i = 0; i < n; i++)
		put_number(b, uid[i], 8);
}

/* BYE: end 1, eight counters 8 each. */

static bool parse_bye(struct cursor *c, struct chan_bye *y)
{
	uint64_t end = take_number(c, 1);

	if (end >= CHAN_END_COUNT)
		return false;
	y->end = (enum chan_end)end;
	y->top = take_number(c, 8);
	y->top_octets = take_number(c, 8);
	y->retr = take_number(c, 8);
	y->retr_octets = take_number(c, 8);
	y->dele = take_number(c, 8);
	y->size_octets = take_number(c, 8);
	y->in_octets = take_number(c, 8);
	y->out_octets = take_number(c, 8);
	return ended(c);
}

void chan_put_bye(struct buf *b, const struct chan_bye *y)
{
	buf_putc(b, CHAN_BYE);
	put_number(b, (uint64_t)y->end, 1);
	put_number(b, y->top, 8);
	put_number(b, y->top_octets, 8);
	put_number(b, y->retr, 8);
	put_number(b, y->retr_octets, 8);
	put_number(b, y->dele, 8);
	put_number(b, y->size_octets, 8);
	put_number(b, y->in_octets, 8);
	put_number(b, y->out_octets, 8);
}

/* PEER: remote 16, local 16, ports 2 each, note 1+n. */

static bool is_printable(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e)
			return false;
	return true;
}

static struct ipaddr take_address(struct cursor *c)
{
	struct ipaddr a = { { 0 } };
	struct span s = take(c, sizeof(a.octet));

	if (s.n)
		memcpy(a.octet, s.p, sizeof(a.octet));
	return a;
}

static bool parse_peer(struct cursor *c, struct chan_peer *p)
{
	p->remote = take_address(c);
	p->local = take_address(c);
	p->remote_port = (uint16_t)take_number(c, 2);
	p->local_port = (uint16_t)take_number(c, 2);
	p->note = take_text(c, 1, CHAN_NOTE_MAX);
	return ended(c) && is_printable(p->note);
}

void chan_put_peer(struct buf *b, const struct chan_peer *p)
{
	if (!is_printable(p->note))
		b->failed = true;
	buf_putc(b, CHAN_PEER);
	buf_put(b, p->remote.octet, sizeof(p->remote.octet));
	buf_put(b, p->local.octet, sizeof(p->local.octet));
	put_number(b, p->remote_port, 2);
	put_number(b, p->local_port, 2);
	put_text(b, p->note, 1, CHAN_NOTE_MAX);
}

/* TLS: on 1, version 1+n, detail 1+n. */

static bool is_text(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			return false;
	return true;
}

static bool tls_valid(const struct chan_tls *t)
{
	return (t->version.n > 0) == t->on && is_text(t->version) &&
	       is_text(t->detail);
}

static bool parse_tls(struct cursor *c, struct chan_tls *t)
{
	t->on = take_flag(c);
	t->version = take_text(c, 1, CHAN_TLS_MAX);
	t->detail = take_text(c, 1, CHAN_TLS_MAX);
	return ended(c) && tls_valid(t);
}

void chan_put_tls(struct buf *b, const struct chan_tls *t)
{
	if (!tls_valid(t))
		b->failed = true;
	buf_putc(b, CHAN_TLS);
	put_number(b, t->on, 1);
	put_text(b, t->version, 1, CHAN_TLS_MAX);
	put_text(b, t->detail, 1, CHAN_TLS_MAX);
}

bool chan_parse_request(struct span frame, struct chan_request *r)
{
	struct cursor c = { .s = frame };
	uint64_t type = take_number(&c, 1);

	memset(r, 0, sizeof(*r));
	if (frame.n > CHAN_FRAME_MAX)
		return false;
	r->type = (enum chan_request_type)type;
	switch (type) {
	case CHAN_AUTH:
		return parse_auth(&c, &r->u.auth);
	case CHAN_READ:
		return parse_read(&c, &r->u.read);
	case CHAN_MOVE:
		return parse_move(&c, &r->u.move);
	case CHAN_BYE:
		return parse_bye(&c, &r->u.bye);
	case CHAN_PEER:
		return parse_peer(&c, &r->u.peer);
	case CHAN_TLS:
		return parse_tls(&c, &r->u.tls);
	default:
		return false;
	}
}

/* LIST: n 2, then entries: uid 8, octets 8, uidl 1+n. */

enum { LIST_HEAD = 3, ENTRY_HEAD = 17 };

static bool uidl_valid(struct span s)
{
	return s.n >= 1 && s.n <= CHAN_UIDL_MAX && is_printable(s);
}

static bool take_entry(struct cursor *c, struct chan_list_entry *e)
{
	struct span head = take(c, ENTRY_HEAD);

	if (c->bad)
		return false;
	e->uid = get_u64(head.p);
	e->octets = get_u64(head.p + 8);
	e->uidl = take(c, (uint8_t)head.p[ENTRY_HEAD - 1]);
	return !c->bad && uidl_valid(e->uidl);
}

/* Walks all entries once, so that nobody acts on half a bad frame. */
static bool parse_list(struct cursor *c, struct chan_reply *r)
{
	struct chan_list_entry e;
	struct cursor walk;

	r->count = take_number(c, 2);
	r->data = c->s;
	walk = *c;
	for (uint64_t i = 0; i < r->count; i++)
		if (!take_entry(&walk, &e))
			return false;
	return ended(&walk);
}

bool chan_list_next(struct chan_reply *r, struct chan_list_entry *e)
{
	struct cursor c = { .s = r->data };
	bool ok = r->type == CHAN_LIST && take_entry(&c, e);

	r->data = ok ? c.s : SPAN_EMPTY;
	return ok;
}

static bool parse_denied(struct cursor *c, struct chan_reply *r)
{
	uint64_t why = take_number(c, 1);

	r->denial = (enum chan_denial)why;
	return ended(c) && why < CHAN_DENIED_COUNT;
}

static bool parse_stop(struct cursor *c, struct chan_reply *r)
{
	uint64_t end = take_number(c, 1);

	if (end >= CHAN_END_COUNT)
		return false;
	r->end = (enum chan_end)end;
	return ended(c);
}

static bool parse_reply_fields(struct cursor *c, struct chan_reply *r)
{
	switch (r->type) {
	case CHAN_DENIED:
		return parse_denied(c, r);
	case CHAN_GRANTED:
		r->grant.exclusive = take_flag(c);
		r->grant.expire_days = (uint32_t)take_number(c, 4);
		return ended(c);
	case CHAN_TEMP:
	case CHAN_LIST_END:
	case CHAN_READ_END:
	case CHAN_CROWDED:
	case CHAN_PEER_TAKEN:
		return ended(c);
	case CHAN_STOP:
		return parse_stop(c, r);
	case CHAN_LIST:
		return parse_list(c, r);
	case CHAN_MAIL:
		r->uid = take_number(c, 8);
		r->octets = take_number(c, 8);
		return ended(c);
	case CHAN_GONE:
	case CHAN_DAMAGED:
		r->uid = take_number(c, 8);
		return ended(c);
	case CHAN_MOVED:
		r->count = take_number(c, 8);
		return ended(c);
	case CHAN_DATA:
		r->data = c->s;
		return true;
	default:
		return false;
	}
}

bool chan_parse_reply(struct span frame, struct chan_reply *r)
{
	struct cursor c = { .s = frame };

	memset(r, 0, sizeof(*r));
	r->data = SPAN_EMPTY;
	r->type = (enum chan_reply_type)take_number(&c, 1);
	if (frame.n > CHAN_FRAME_MAX)
		return false;
	return parse_reply_fields(&c, r);
}

void chan_put_simple(struct buf *b, enum chan_reply_type t)
{
	put_number(b, (uint64_t)t, 1);
}

void chan_put_granted(struct buf *b, const struct chan_grant *g)
{
	chan_put_simple(b, CHAN_GRANTED);
	put_number(b, g->exclusive, 1);
	put_number(b, g->expire_days, 4);
}

void chan_put_denied(struct buf *b, enum chan_denial why)
{
	chan_put_simple(b, CHAN_DENIED);
	put_number(b, (uint64_t)why, 1);
}

void chan_put_mail(struct buf *b, uint64_t uid, uint64_t octets)
{
	chan_put_simple(b, CHAN_MAIL);
	put_number(b, uid, 8);
	put_number(b, octets, 8);
}

void chan_put_gone(struct buf *b, uint64_t uid)
{
	chan_put_simple(b, CHAN_GONE);
	put_number(b, uid, 8);
}

void chan_put_damaged(struct buf *b, uint64_t uid)
{
	chan_put_simple(b, CHAN_DAMAGED);
	put_number(b, uid, 8);
}

void chan_put_moved(struct buf *b, uint64_t count)
{
	chan_put_simple(b, CHAN_MOVED);
	put_number(b, count, 8);
}

void chan_put_stop(struct buf *b, enum chan_end why)
{
	chan_put_simple(b, CHAN_STOP);
	put_number(b, (uint64_t)why, 1);
}

void chan_put_data(struct buf *b, struct span data)
{
	if (data.n > CHAN_FRAME_MAX - 1) {
		b->failed = true;
		return;
	}
	chan_put_simple(b, CHAN_DATA);
	buf_put_span(b, data);
}

void chan_list_begin(struct chan_list *l, struct buf *b)
{
	l->b = b;
	l->start = b->n;
	l->count = 0;
	chan_put_simple(b, CHAN_LIST);
	put_number(b, 0, 2); /* chan_list_end() knows */
}

bool chan_list_add(struct chan_list *l, const struct chan_list_entry *e)
{
	size_t used = l->b->n - l->start;
	char *to;

	if (!uidl_valid(e->uidl))
		l->b->failed = true;
	if (!buf_ok(l->b) || l->count == UINT16_MAX ||
	    used + ENTRY_HEAD + e->uidl.n > CHAN_FRAME_MAX)
		return false;
	to = buf_reserve(l->b, ENTRY_HEAD + e->uidl.n);
	if (!to)
		return false;
	set_u64(to, e->uid);
	set_u64(to + 8, e->octets);
	to[ENTRY_HEAD - 1] = (char)(uint8_t)e->uidl.n;
	memcpy(to + ENTRY_HEAD, e->uidl.p, e->uidl.n);
	l->b->n += ENTRY_HEAD + e->uidl.n;
	l->count++;
	return true;
}

void chan_list_end(struct chan_list *l)
{
	if (!buf_ok(l->b) || l->b->n - l->start < LIST_HEAD)
		return;
	l->b->p[l->start + 1] = (char)(uint8_t)(l->count >> 8);
	l->b->p[l->start + 2] = (char)(uint8_t)(l->count & 0xff);
}
