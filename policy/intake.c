/* policy/intake.c: see intake.h. */
#include "policy/intake.h"

#include <stdlib.h>

#include "lib/array.h"
#include "lib/clock.h"
#include "lib/fault.h"
#include "lib/trace.h"
#include "policy/intakecharge.h"
#include "policy/notice.h"

enum {
	TRACE_MAX = 8192, /* the column */
	SENDER_MAX = 320  /* the column; Return-Path has all of it */
};

struct intake_box *intake_find_box(const struct intake *in, uint64_t mailbox_id)
{
	for (size_t i = 0; i < in->nbox; i++)
		if (in->box[i].mailbox_id == mailbox_id)
			return &in->box[i];
	return NULL;
}

/* NULL: it is not stored here. */
static struct intake_box *box_of(const struct intake *in,
				 const struct judged_target *t)
{
	return judged_stores(t) ? intake_find_box(in, t->box.mailbox_id) : NULL;
}

static bool add_box(struct intake *in, const struct judged_target *t,
		    size_t rcpt)
{
	struct intake_box *b;

	if (intake_find_box(in, t->box.mailbox_id))
		return true;
	b = array_grow(in->box, in->nbox, &in->box_size, sizeof(*b));
	if (!b)
		return false;
	in->box = b;
	b[in->nbox++] = (struct intake_box){ .mailbox_id = t->box.mailbox_id,
					     .target = t,
					     .rcpt = rcpt };
	return true;
}

/* The boxes of a recipient that cannot be kept go again with it. */
static enum reply_id add_boxes(struct intake *in, const struct judged_rcpt *r,
			       size_t rcpt)
{
	size_t before = in->nbox;

	for (size_t i = 0; i < r->n; i++) {
		if (judged_stores(&r->target[i]) &&
		    !add_box(in, &r->target[i], rcpt)) {
			in->nbox = before;
			return R_NO_MEMORY;
		}
	}
	return R_NONE;
}

enum reply_id intake_add(struct intake *in, struct span path,
			 struct judged_rcpt *r)
{
	enum reply_id id = R_RCPT_TOO_MANY;
	struct intake_rcpt *all;
	char *copy = NULL;

	if (in->nrcpt < INTAKE_RCPTS_MAX &&
	    r->n <= INTAKE_TARGETS_MAX - in->ntarget) {
		id = R_NO_MEMORY;
		copy = strndup(path.p, path.n);
		all = array_grow(in->rcpt, in->nrcpt, &in->rcpt_size,
				 sizeof(*all));
		if (all)
			in->rcpt = all;
		if (copy && all)
			id = add_boxes(in, r, in->nrcpt);
	}
	if (id != R_NONE) {
		free(copy);
		judged_release(r);
		return id;
	}
	in->ntarget += r->n;
	in->rcpt[in->nrcpt++] =
		(struct intake_rcpt){ .path = copy, .judged = *r };
	memset(r, 0, sizeof(*r));
	return R_NONE;
}

void intake_reset(struct intake *in)
{
	for (size_t i = 0; i < in->nrcpt; i++) {
		free(in->rcpt[i].path);
		judged_release(&in->rcpt[i].judged);
	}
	free(in->rcpt);
	free(in->box);
	memset(in, 0, sizeof(*in));
}

/* One transaction. */
struct storing {
	struct intake *in;
	const struct intake_facts *facts;
	struct intake_box **box; /* those that it is for */
	struct deliver_target *target;
	size_t n;
	struct buf trace; /* of all targets, one after the other */
	struct judge_message *message;
	struct charges charges;
};

static bool choose_boxes(struct storing *st, size_t first, size_t n)
{
	struct intake *in = st->in;

	st->box = calloc(in->nbox, sizeof(struct intake_box *));
	st->target = calloc(in->nbox, sizeof(*st->target));
	if (!st->box || !st->target)
		return false;
	for (size_t i = first; i < first + n; i++) {
		const struct judged_rcpt *r = &in->rcpt[i].judged;

		for (size_t k = 0; k < r->n; k++) {
			struct intake_box *b = box_of(in, &r->target[k]);
			bool chosen = !b || b->uid || b->duplicate;

			for (size_t j = 0; !chosen && j < st->n; j++)
				chosen = st->box[j] == b;
			if (!chosen)
				st->box[st->n++] = b;
		}
	}
	return true;
}

static void put_trace(struct storing *st, const struct intake_box *b,
		      int64_t now)
{
	const struct intake_facts *f = st->facts;
	const struct trace_facts facts = {
		.sender = f->sender,
		.recipient = addr_span(&b->target->address),
		.original = addr_bare(span_of(st->in->rcpt[b->rcpt].path)),
		.helo = f->helo,
		.client_name = f->client_name,
		.client_addr = f->client_addr,
		.by = f->by,
		.with = span_of(f->with),
		.tls = f->tls,
		.queue_id = f->queue_id,
		.time = now,
	};

	trace_put(&st->trace, &facts);
}

/* The traces grow in one buffer, which may move: their places are filled in
 * when all are there. */
static bool make_targets(struct storing *st)
{
	int64_t now = clock_unix();
	size_t offset = 0;

	st->trace.max = st->n * TRACE_MAX;
	for (size_t i = 0; i < st->n; i++) {
		put_trace(st, st->box[i], now);
		st->target[i].mailbox_id = st->box[i]->mailbox_id;
		st->target[i].quota = st->box[i]->target->quota;
		st->target[i].trace.n = st->trace.n - offset;
		offset = st->trace.n;
	}
	if (!buf_ok(&st->trace))
		return false;
	offset = 0;
	for (size_t i = 0; i < st->n; i++) {
		st->target[i].trace.p = st->trace.p + offset;
		offset += st->target[i].trace.n;
	}
	return true;
}

/* deliver_commit() looks at the targets through pointers, so they stand as
 * they stood. */
static void take_results(struct storing *st)
{
	for (size_t i = 0; i < st->n; i++) {
		st->box[i]->uid = st->target[i].uid_r;
		st->box[i]->duplicate = st->target[i].duplicate_r;
	}
}

/* Nothing was stored, so that is all that the targets tell. */
static void take_full(struct storing *st)
{
	for (size_t i = 0; i < st->n; i++)
		st->box[i]->full =
			st->target[i].full_r ? R_DELIVER_QUOTA : R_NONE;
}

static bool has_received_all(const struct addr *box, const struct charges *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].reached_r &&
		    c->v[i].usage.key.direction == LIMIT_IN &&
		    limits_subject_is(c->v[i].usage.key.subject, box))
			return true;
	return false;
}

static enum reply_id take_limited(struct storing *st)
{
	enum reply_id id = judge_limit_reached(st->message, &st->charges);

	for (size_t i = 0; i < st->n; i++) {
		struct intake_box *b = st->box[i];

		b->full =
			intake_full(id) && has_received_all(&b->target->address,
							    &st->charges)
				? id
				: R_NONE;
	}
	return id;
}

/* After make_targets(): a charge knows its target, to see a duplicate. */
static bool make_charges(struct storing *st, const struct settings *s,
			 uint64_t octets)
{
	unsigned percent = (unsigned)s->conf->limit_notice;
	const struct limits *l;

	if (!st->message || st->message->limits.n == 0)
		return true;
	l = &st->message->limits;
	for (size_t i = 0; i < st->n; i++)
		if (!limits_charge_box(l, &st->box[i]->target->address, octets,
				       percent, &st->target[i].duplicate_r,
				       &st->charges))
			return false;
	return limits_charge(l, octets, percent, &st->charges);
}

/* A retry is not charged again for what is there already. But the mail may go
 * to others as well, and they to whom it goes may be others each time. */
static bool is_news_to_others(const struct storing *st)
{
	for (size_t i = 0; i < st->n; i++)
		if (!st->target[i].duplicate_r)
			return false;
	for (size_t i = 0; i < st->in->nrcpt; i++)
		if (judged_rcpt_goes_on(&st->in->rcpt[i].judged))
			return true;
	return false;
}

static enum reply_id charge_others(struct storing *st, const struct settings *s,
				   struct buf *why)
{
	if (intake_owes(&st->charges) && is_news_to_others(st))
		return intake_charge_these(s, st->message, &st->charges, why);
	notice_charged(&st->charges);
	return R_NONE;
}

static enum reply_id commit(struct storing *st, const struct settings *s,
			    struct content *c, struct buf *why)
{
	c->mail.sender = span_head(st->facts->sender, SENDER_MAX);
	if (FAULT(INTAKE_BEFORE_COMMIT))
		return R_DELIVER_TEMP;
	switch (deliver_commit(s->deliver, &c->mail, st->target, st->n,
			       &st->charges,
			       deadline_in(s->conf->deliver_timeout), why)) {
	case DELIVER_OK:
		take_results(st);
		return FAULT(INTAKE_AFTER_COMMIT) ? R_DELIVER_TEMP
						  : charge_others(st, s, why);
	case DELIVER_QUOTA:
		take_full(st);
		return R_DELIVER_QUOTA;
	case DELIVER_LIMIT:
		return take_limited(st);
	case DELIVER_TEMP:
		break;
	}
	return R_DELIVER_TEMP;
}

static enum reply_id make_and_commit(struct storing *st,
				     const struct settings *s,
				     struct content *c, struct buf *why)
{
	if (!make_targets(st) ||
	    !make_charges(st, s, spool_size(c->mail.content)))
		return R_NO_MEMORY;
	return commit(st, s, c, why);
}

enum reply_id intake_store(struct intake *in, size_t first, size_t n,
			   const struct settings *s, struct content *c,
			   const struct intake_facts *f,
			   struct judge_message *m, struct buf *why)
{
	struct storing st = {
		.in = in, .facts = f, .trace = BUF_INIT(0), .message = m
	};
	enum reply_id id = c->failed;

	if (id == R_NONE && !choose_boxes(&st, first, n))
		id = R_NO_MEMORY;
	if (id == R_NONE && st.n > 0)
		id = make_and_commit(&st, s, c, why);
	else if (id == R_NONE && m && m->limits.n > 0)
		id = intake_charge(s, m, spool_size(c->mail.content), why);
	free(st.box);
	free(st.target);
	charges_release(&st.charges);
	buf_release(&st.trace);
	return id;
}

static bool is_smaller(uint64_t size_max, uint64_t octets)
{
	return size_max > 0 && size_max < octets;
}

static bool leave_out_larger(struct judged_rcpt *r, uint64_t octets)
{
	bool left = r->n == 0;

	for (size_t k = 0; k < r->n; k++) {
		struct judged_target *t = &r->target[k];

		if (!judged_stores(t) && !judged_goes_on(t))
			continue;
		if (!is_smaller(t->size_max, octets)) {
			left = true;
			continue;
		}
		t->kind = JUDGED_LEFT_OUT;
		t->why = (struct verdict){
			.id = R_RCPT_SIZE,
			.predicate = predicate_get(P_RCPT_SIZE)->name
		};
	}
	return left && !is_smaller(r->size_max, octets);
}

enum reply_id intake_sizes(struct intake *in, uint64_t octets,
			   struct span *path_r)
{
	for (size_t i = 0; i < in->nrcpt; i++) {
		struct judged_rcpt *r = &in->rcpt[i].judged;

		*path_r = span_of(in->rcpt[i].path);
		if (!leave_out_larger(r, octets))
			return R_RCPT_SIZE;
		if (is_smaller(r->room, octets))
			return R_DELIVER_QUOTA;
	}
	*path_r = SPAN_EMPTY;
	return R_NONE;
}

bool intake_full(enum reply_id id)
{
	return id == R_DELIVER_QUOTA || id == R_LIMIT_IN ||
	       id == R_LIMIT_IN_HARD;
}

static enum reply_id full(const struct intake *in,
			  const struct judged_target *t)
{
	const struct intake_box *b = box_of(in, t);

	return b ? b->full : R_NONE;
}

static bool may_have(const struct judged_target *t, enum reply_id full)
{
	if (full != R_NONE)
		return full == R_DELIVER_QUOTA && t->may_pass;
	return judged_stores(t) || judged_goes_on(t);
}

/* Somebody has room, and the MTA may try again for those without; or there is
 * nobody without. */
static bool has_others(const struct intake *in, const struct judged_rcpt *r)
{
	bool any = false, others = false;

	for (size_t k = 0; k < r->n; k++) {
		const struct judged_target *t = &r->target[k];

		if (may_have(t, full(in, t)))
			others = true;
		else if (full(in, t) != R_NONE)
			any = true;
	}
	return !any || (others && !judged_denies(r));
}

struct span intake_full_path(const struct intake *in)
{
	for (size_t i = 0; i < in->nrcpt; i++)
		if (!has_others(in, &in->rcpt[i].judged))
			return span_of(in->rcpt[i].path);
	return SPAN_EMPTY;
}

/* As if it had been found at RCPT. */
static void set_full(struct judged_target *t, enum reply_id id)
{
	if (id == R_DELIVER_QUOTA && t->may_pass) {
		t->kind = JUDGED_PASS;
		return;
	}
	t->why = (struct verdict){ .id = id == R_DELIVER_QUOTA
						 ? R_RCPT_OVER_QUOTA
						 : id,
				   .predicate = predicate_behind(id) };
	t->kind = judge_may_wait(t->why.id) ? JUDGED_FULL : JUDGED_LEFT_OUT;
}

static bool set_all_full(struct intake *in, struct judged_rcpt *r)
{
	bool found = false;

	for (size_t k = 0; k < r->n; k++) {
		enum reply_id id = full(in, &r->target[k]);

		if (id == R_NONE)
			continue;
		set_full(&r->target[k], id);
		found = true;
	}
	return found;
}

bool intake_without_full(struct intake *in, size_t first, size_t n)
{
	bool found = false;

	for (size_t i = first; i < first + n; i++)
		if (!has_others(in, &in->rcpt[i].judged))
			return false;
	for (size_t i = first; i < first + n; i++)
		found |= set_all_full(in, &in->rcpt[i].judged);
	return found;
}

/* There is room for the boxes that are left: they were more. */
void intake_keep_full(struct intake *in)
{
	in->nbox = 0;
	for (size_t i = 0; i < in->nrcpt; i++) {
		struct judged_rcpt *r = &in->rcpt[i].judged;

		if (judged_has_full(r)) {
			in->ntarget -= r->n;
			judged_keep(r);
		}
		(void)add_boxes(in, r, i);
	}
}
