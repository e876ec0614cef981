#include "tests/unit/poprig.h"

#include <stdlib.h>

void poprig_init(struct poprig *r)
{
	const struct popstate_rules rules = {
		.auth_attempts = 3,
		.max_errors = 10,
		.challenge = "<1.2@h>",
	};

	memset(r, 0, sizeof(*r));
	buf_init(&r->out, POPSTATE_OUT_MAX);
	buf_init(&r->said, SIZE_MAX);
	buf_init(&r->queue, SIZE_MAX);
	r->user = "bob@example.org";
	r->password = "secret";
	popstate_init(&r->pop, &rules, &r->out);
}

void poprig_release(struct poprig *r)
{
	popstate_release(&r->pop);
	buf_release(&r->out);
	buf_release(&r->said);
	buf_release(&r->queue);
}

void poprig_add(struct poprig *r, uint64_t uid, struct span text)
{
	if (r->mails == POPRIG_MAILS)
		abort();
	r->mail[r->mails++] = (struct poprig_mail){ .uid = uid, .text = text };
}

static void queue_frame(struct poprig *r, struct buf *frame)
{
	uint32_t n = (uint32_t)frame->n;

	if (!buf_ok(frame))
		abort();
	buf_put(&r->queue, &n, sizeof(n));
	buf_put_span(&r->queue, buf_span(frame));
	buf_release(frame);
}

static void answer(struct poprig *r, enum chan_reply_type t)
{
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);

	chan_put_simple(&b, t);
	queue_frame(r, &b);
}

static void grant(struct poprig *r)
{
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);

	chan_put_granted(&b, &r->grant);
	queue_frame(r, &b);
}

static void send_list(struct poprig *r)
{
	struct buf b = BUF_INIT(CHAN_FRAME_MAX), uidl = BUF_INIT(64);
	struct chan_list list;

	chan_list_begin(&list, &b);
	for (size_t i = 0; i < r->mails; i++) {
		struct chan_list_entry e = {
			.uid = r->mail[i].uid,
			.octets = r->mail[i].text.n +
				  (r->mail[i].blank_line ? 2 : 0),
		};

		buf_reset(&uidl);
		buf_printf(&uidl, "u%llu", (unsigned long long)e.uid);
		e.uidl = buf_span(&uidl);
		if (!chan_list_add(&list, &e))
			abort();
	}
	chan_list_end(&list);
	buf_release(&uidl);
	queue_frame(r, &b);
	answer(r, CHAN_LIST_END);
}

static struct span keep(char *to, size_t max, struct span s)
{
	s = span_head(s, max);
	memcpy(to, s.p, s.n);
	return span_make(to, s.n);
}

static void deny(struct poprig *r, enum chan_denial why)
{
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);

	chan_put_denied(&b, why);
	queue_frame(r, &b);
}

/* Digests are authd's to verify: any is right. */
static bool knows(const struct poprig *r, const struct chan_auth *a)
{
	return span_is(a->user, r->user) &&
	       (a->mech != MECH_PLAIN || span_is(a->secret, r->password));
}

static void serve_auth(struct poprig *r, const struct chan_auth *a)
{
	r->auths++;
	r->last_tls = a->tls;
	r->last_user = keep(r->name, sizeof(r->name), a->user);
	r->last_secret = keep(r->secret, sizeof(r->secret), a->secret);
	if (r->down) {
		answer(r, CHAN_TEMP);
	} else if (!knows(r, a)) {
		deny(r, CHAN_DENIED_PASSWORD);
	} else if (r->denial) {
		deny(r, r->denial);
	} else {
		grant(r);
		send_list(r);
	}
}

/* The machine invents no uid. */
static const struct poprig_mail *find(const struct poprig *r, uint64_t uid)
{
	static const struct poprig_mail unknown = { .gone = true };

	for (size_t i = 0; i < r->mails; i++) {
		if (r->mail[i].uid == uid)
			return &r->mail[i];
	}
	if (!r->lenient)
		abort();
	return &unknown;
}

static void send_data(struct poprig *r, struct span data)
{
	size_t max = r->frame_max ? r->frame_max : CHAN_FRAME_MAX - 1;
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);

	for (; data.n; data = span_skip(data, max)) {
		chan_put_data(&b, span_head(data, max));
		queue_frame(r, &b);
	}
}

static void send_mail(struct poprig *r, const struct chan_read *ask, size_t i)
{
	const struct poprig_mail *m = find(r, ask->uid[i]);
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);
	struct span data = span_skip(m->text, ask->offset);

	if (ask->offset > m->text.n && !r->lenient)
		abort();
	if (m->gone)
		chan_put_gone(&b, ask->uid[i]);
	else if (m->damaged)
		chan_put_damaged(&b, ask->uid[i]);
	else
		chan_put_mail(&b, m->uid, m->text.n);
	queue_frame(r, &b);
	if (m->gone || m->damaged || r->down_after_mail)
		return;
	send_data(r, ask->limit ? span_head(data, ask->limit) : data);
}

static void serve_read(struct poprig *r, const struct chan_read *ask)
{
	r->reads++;
	if (ask->n > r->most_read)
		r->most_read = ask->n;
	if (ask->n > 1 && ask->offset)
		abort();
	for (size_t i = 0; i < ask->n && !r->down; i++)
		send_mail(r, ask, i);
	answer(r, r->down || r->down_after_mail ? CHAN_TEMP : CHAN_READ_END);
}

static void serve_move(struct poprig *r, const struct chan_move *m)
{
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);
	uint64_t moved = 0;

	r->moves++;
	for (size_t i = 0; i < m->n && !r->down; i++) {
		for (size_t k = 0; k < r->mails; k++) {
			if (r->mail[k].uid == chan_move_uid(m, i))
				r->mail[k].moved = true;
		}
		moved++;
	}
	if (!m->last)
		return;
	if (r->down)
		chan_put_simple(&b, CHAN_TEMP);
	else
		chan_put_moved(&b, moved);
	queue_frame(r, &b);
}

static void serve_peer(struct poprig *r, const struct chan_peer *p)
{
	r->peers++;
	r->last_peer = *p;
	r->last_peer.note = keep(r->note, sizeof(r->note), p->note);
	answer(r, r->crowded ? CHAN_CROWDED : CHAN_PEER_TAKEN);
}

static void serve(struct poprig *r, struct span frame)
{
	struct chan_request q;

	if (!chan_parse_request(frame, &q))
		abort();
	if (q.type == CHAN_AUTH)
		serve_auth(r, &q.u.auth);
	else if (q.type == CHAN_READ)
		serve_read(r, &q.u.read);
	else if (q.type == CHAN_MOVE)
		serve_move(r, &q.u.move);
	else if (q.type == CHAN_PEER)
		serve_peer(r, &q.u.peer);
}

bool poprig_deliver_one(struct poprig *r)
{
	struct buf frame = BUF_INIT(CHAN_FRAME_MAX);
	uint32_t n;

	if (r->queue.n == 0 || r->stalled || !popstate_wants_frame(&r->pop))
		return false;
	memcpy(&n, r->queue.p + r->queue_at, sizeof(n));
	buf_put(&frame, r->queue.p + r->queue_at + sizeof(n), n);
	r->queue_at += sizeof(n) + n;
	if (r->queue_at == r->queue.n) {
		buf_reset(&r->queue);
		r->queue_at = 0;
	}
	popstate_frame(&r->pop, buf_span(&frame));
	buf_release(&frame);
	return true;
}

static bool take_request(struct poprig *r)
{
	if (r->pop.ended || r->pop.request.n == 0)
		return false;
	serve(r, buf_span(&r->pop.request));
	popstate_sent(&r->pop);
	return true;
}

static bool take_output(struct poprig *r)
{
	if (r->out.n > r->most_out)
		r->most_out = r->out.n;
	if (r->out.n == 0 || r->hold_out)
		return false;
	buf_put_span(&r->said, buf_span(&r->out));
	buf_reset(&r->out);
	popstate_all_sent(&r->pop);
	popstate_go(&r->pop);
	return true;
}

void poprig_pump(struct poprig *r)
{
	popstate_go(&r->pop);
	while (take_request(r) || poprig_deliver_one(r) || take_output(r))
		;
}

struct span poprig_say_span(struct poprig *r, enum line_status status,
			    struct span line)
{
	buf_reset(&r->said);
	popstate_line(&r->pop, status, line);
	poprig_pump(r);
	return buf_span(&r->said);
}

struct span poprig_say(struct poprig *r, const char *line)
{
	return poprig_say_span(r, LINE_OK, span_of(line));
}

void poprig_login(struct poprig *r)
{
	(void)poprig_say(r, "USER bob@example.org");
	(void)poprig_say(r, "PASS secret");
	if (r->pop.state != ST_TRANS)
		abort();
}
