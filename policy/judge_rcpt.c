/* policy/judge_rcpt.c: a recipient of ours: where it leads, and the predicates
 * for each end of the way. */
#include "policy/judgeint.h"

#include <stdlib.h>

#include "lib/array.h"
#include "policy/expand.h"

/* A mail whose size was not told has one octet at least. */
static bool fits(uint64_t octets, uint64_t size, uint64_t quota)
{
	uint64_t sum;

	return !__builtin_add_overflow(octets, size ? size : 1, &sum) &&
	       sum <= quota;
}

static enum fact has_room(const struct judge_mailbox *b, uint64_t size)
{
	return fact_of(b->facts.quota == 0 || b->mode == SERVED_PASS ||
		       fits(b->box.octets, size, b->facts.quota));
}

/* Canonical text that is known to be an address. */
static void addr_again(struct span s, struct addr *a_r)
{
	memcpy(a_r->text, s.p, s.n);
	a_r->text[s.n] = '\0';
	a_r->n = (uint16_t)s.n;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '@')
			a_r->at = (uint16_t)i;
}

static bool take_target(void *arg, struct span text)
{
	struct expand *e = arg;

	expand_tell_target(e, text);
	return expand_step(e) == EXPAND_ASK_ALIAS;
}

static void answer_domain(struct judging *g, struct expand *e)
{
	struct domain_facts d = { .ours = F_TEMP };

	lookup_domain(&g->l, expand_key(e), &d);
	expand_tell_domain(e, d.ours, d.active, span_of(d.alias_of));
}

static bool answer_mailbox(struct judging *g, struct expand *e)
{
	struct judge_mailbox *b;
	struct addr a;

	b = array_grow(g->box, g->nbox, &g->box_size, sizeof(*b));
	if (!b)
		return false;
	g->box = b;
	b = &g->box[g->nbox++];
	addr_again(expand_key(e), &a);
	lookup_mailbox(&g->l, &a, b);
	expand_tell_mailbox(e, b->facts.known);
	return true;
}

/* The database answers what the stepper asks. */
static enum expand_step walk(struct judging *g, struct expand *e)
{
	for (;;) {
		enum expand_step step = expand_step(e);

		switch (step) {
		case EXPAND_ASK_DOMAIN:
			answer_domain(g, e);
			break;
		case EXPAND_ASK_ALIAS:
			expand_tell_alias(e, lookup_alias(&g->l, expand_key(e),
							  take_target, e));
			break;
		case EXPAND_ASK_MAILBOX:
			if (!answer_mailbox(g, e))
				return EXPAND_NO_MEMORY;
			break;
		case EXPAND_DONE:
		case EXPAND_TEMP:
		case EXPAND_TOO_FAR:
		case EXPAND_NO_MEMORY:
			return step;
		}
	}
}

static const enum judged_kind kind_of_mode[] = {
	[SERVED_PASS] = JUDGED_PASS,
	[SERVED_MIRROR] = JUDGED_MIRROR,
	[SERVED_STORE] = JUDGED_STORE,
};

static void judge_mailbox_target(struct judging *g,
				 const struct judge_mailbox *b,
				 struct rcpt_facts *f, struct judged_target *t)
{
	f->known = F_YES;
	f->active = b->facts.active;
	f->room = f->active == F_YES ? has_room(b, g->message->size) : F_TEMP;
	t->kind = f->active == F_YES ? kind_of_mode[b->mode] : JUDGED_LEFT_OUT;
	t->may_pass =
		t->kind == JUDGED_MIRROR && g->client->role != JUDGE_STORE;
	if (t->may_pass && f->room == F_NO) {
		f->room = F_YES;
		t->kind = JUDGED_PASS;
	}
	t->address = b->facts.name;
	t->box = b->box;
	t->quota = b->facts.quota;
	judge_rcpt_policy(g, &t->address, f, &t->size_max);
}

static void limit_facts(struct judging *g, struct facts *f,
			const struct judged_target *t)
{
	if (f->rcpt.active == F_YES)
		judge_limit(g, LIMIT_IN, &t->address, f);
}

bool judge_may_wait(enum reply_id id)
{
	return id == R_RCPT_OVER_QUOTA || id == R_RCPT_QUOTA_HARD ||
	       id == R_LIMIT_IN || id == R_LIMIT_IN_HARD;
}

static void decide_target(const struct judging *g, const struct facts *f,
			  struct judged_target *t)
{
	t->why = judge_decide(g->l.j, g->client, STAGE_TARGET, f, &g->modes);
	if (judge_may_wait(t->why.id))
		t->kind = JUDGED_FULL;
	else if (t->why.id != R_NONE)
		t->kind = JUDGED_LEFT_OUT;
}

/* Others may be on their way to the same mailbox. False: they fill it. */
static bool is_promised(const struct judging *g, const struct judged_target *t)
{
	struct holding *h = &g->message->holding;
	uint64_t size = g->message->size, id = t->box.mailbox_id;

	if (!g->l.j->underway || size == 0 || t->quota == 0 ||
	    !judged_stores(t) || holding_has(h, id))
		return true;
	return holding_add(h, g->l.j->underway, id, size,
			   t->quota - t->box.octets);
}

/* They may be rejected yet, so what their octets hinder is not hard. */
static void decide_and_promise(const struct judging *g, struct facts *f,
			       struct judged_target *t)
{
	decide_target(g, f, t);
	if (is_promised(g, t))
		return;
	if (t->may_pass) {
		t->kind = JUDGED_PASS;
		return;
	}
	f->rcpt.room = F_NO;
	f->over_quota_hard = false;
	decide_target(g, f, t);
}

/* The predicates see each end of the way as if it had been the recipient. */
static void judge_target(struct judging *g, const struct expand_target *e,
			 struct judged_target *t)
{
	struct facts f = g->facts;

	*t = (struct judged_target){ .kind = JUDGED_LEFT_OUT,
				     .address = e->address };
	f.rcpt.known = F_NO;
	f.limit_hard = g->message->facts.limit_hard; /* not the sender's */
	switch (e->kind) {
	case EXPAND_FOREIGN:
		t->kind = JUDGED_FOREIGN;
		return;
	case EXPAND_BAD:
		t->why = judge_verdict(R_ALIAS_TARGET, "aliases");
		return;
	case EXPAND_MAILBOX:
		judge_mailbox_target(g, &g->box[e->answer], &f.rcpt, t);
		limit_facts(g, &f, t);
		break;
	case EXPAND_DOMAIN_OFF:
		f.rcpt.domain_active = F_NO;
		break;
	case EXPAND_UNKNOWN:
		break;
	}
	decide_and_promise(g, &f, t);
}

/* The recipient itself, or without its extension. */
static bool is_rcpt(const struct judging *g, const struct addr *a)
{
	struct addr base;
	struct span extension;

	return span_eq(addr_span(a), addr_span(&g->rcpt)) ||
	       (addr_strip_extension(&g->rcpt,
				     span_of(g->l.j->conf->recipient_delimiter),
				     &base, &extension) &&
		span_eq(addr_span(a), addr_span(&base)));
}

/* When all that goes on is the recipient's own mailbox, the MTA keeps the
 * recipient as it is. */
static bool stays(const struct judging *g)
{
	bool itself = false;

	for (size_t i = 0; i < g->r->n; i++) {
		if (!judged_goes_on(&g->r->target[i]))
			continue;
		if (!g->r->target[i].itself || itself)
			return false;
		itself = true;
	}
	return itself;
}

/* Whether he may have it cannot be told: he would never get it if the others
 * did now. */
static const struct judged_target *undecided(const struct judged_rcpt *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->target[i].why.id == R_STORE_DOWN)
			return &r->target[i];
	return NULL;
}

/* Of a list only the MTA can try again for one that is full, and cannot where
 * another is denied the mail: then all wait. */
static const struct judged_target *waits(const struct judging *g)
{
	return g->l.j->conf->list_full_wait > 0 && judged_denies(g->r)
		       ? judged_full(g->r)
		       : NULL;
}

/* Accepted if anybody gets it. Otherwise what the sender is told is that a
 * full mailbox may have room later; or why the first one cannot have it. */
static struct verdict sum_up(const struct judging *g)
{
	const struct judged_rcpt *r = g->r;
	const struct judged_target *worst = undecided(r);

	if (!worst)
		worst = waits(g);
	if (worst)
		return worst->why;
	worst = &r->target[0];
	for (size_t i = 0; i < r->n; i++) {
		const struct judged_target *t = &r->target[i];

		if (judged_stores(t) || judged_goes_on(t))
			return judge_verdict(R_NONE, "");
		if (worst->kind != JUDGED_FULL && t->kind == JUDGED_FULL)
			worst = t;
	}
	return worst->why;
}

static void tell_target(const struct judging *g, const struct judged_target *t)
{
	const struct judge *j = g->l.j;

	if (j->found)
		j->found(j->tried_arg, t);
}

static void judge_targets(struct judging *g, const struct expand_target *t,
			  size_t n)
{
	struct judged_rcpt *r = g->r;

	r->n = n;
	r->target = calloc(r->n, sizeof(*r->target));
	if (!r->target) {
		r->n = 0;
		r->verdict = judge_verdict(R_NO_MEMORY, "memory");
		return;
	}
	for (size_t i = 0; i < r->n; i++) {
		judge_target(g, &t[i], &r->target[i]);
		r->target[i].itself = judged_goes_on(&r->target[i]) &&
				      is_rcpt(g, &r->target[i].address);
		tell_target(g, &r->target[i]);
	}
	r->verdict = sum_up(g);
	for (size_t i = 0; i < r->n; i++)
		r->verdict.shadow |= r->target[i].why.shadow;
	if (g->l.j->conf->list_full_wait == 0)
		judged_leave_out_full(r);
	r->keep = stays(g);
}

/* Most recipients lead to one mailbox. What is remembered of a domain that an
 * alias leads to may be older than the mailbox, so that way is not. */
static void remember(const struct judging *g, const struct expand_target *t,
		     size_t n)
{
	if (n == 1 && t->kind == EXPAND_MAILBOX &&
	    span_eq(addr_domain(&t->address), addr_domain(&g->rcpt)))
		judge_memory_put_route(g->l.j->memory, &g->rcpt,
				       &g->box[t->answer]);
}

static bool judge_remembered(struct judging *g)
{
	struct expand_target t = { .kind = EXPAND_MAILBOX };
	struct judge_mailbox b;

	if (!judge_memory_get_route(g->l.j->memory, &g->rcpt, g->l.asked, &b))
		return false;
	t.address = b.facts.name;
	g->box = &b;
	judge_targets(g, &t, 1);
	g->box = NULL;
	return true;
}

static void judge_done(struct judging *g, const struct expand *e)
{
	size_t n;
	const struct expand_target *t = expand_targets(e, &n);

	remember(g, t, n);
	judge_targets(g, t, n);
}

static void judge_expanded(struct judging *g)
{
	const struct conf *conf = g->l.j->conf;
	struct expand *e = expand_new(&g->rcpt, conf->recipient_delimiter,
				      conf->fold_local_part);
	enum expand_step end = e ? walk(g, e) : EXPAND_NO_MEMORY;

	if (end == EXPAND_DONE)
		judge_done(g, e);
	else if (end == EXPAND_TEMP)
		g->r->verdict = judge_verdict(R_STORE_DOWN, "database");
	else if (end == EXPAND_TOO_FAR)
		g->r->verdict = judge_verdict(R_ALIAS_LOOP, "aliases");
	else
		g->r->verdict = judge_verdict(R_NO_MEMORY, "memory");
	expand_free(&e);
	free(g->box);
}

/* The MTA delivers it, and knows whether it is there. */
static void judge_passed(struct judging *g)
{
	struct facts f = g->facts;

	g->r->keep = true;
	g->passed = g->client->role != JUDGE_STORE;
	if (!g->passed)
		return;
	f.rcpt.known = f.rcpt.active = f.rcpt.room = F_YES;
	judge_limit(g, LIMIT_IN, &g->rcpt, &f);
	g->r->verdict =
		judge_decide(g->l.j, g->client, STAGE_TARGET, &f, &g->modes);
}

/* A recipient of an active domain of ours. */
void judge_local(struct judging *g)
{
	enum served_mode mode;

	if (!lookup_mode(&g->l, &g->rcpt, &mode)) {
		g->r->verdict = judge_verdict(R_STORE_DOWN, "database");
		return;
	}
	if (mode == SERVED_PASS) {
		judge_passed(g);
		return;
	}
	if (!judge_remembered(g))
		judge_expanded(g);
	if (g->r->verdict.id != R_NONE || g->client->role == JUDGE_POLICY) {
		struct verdict v = g->r->verdict;

		judged_keep(g->r);
		g->r->room = 0; /* a body would cross the socket for it */
		g->r->verdict = v;
		g->r->ours = true;
	}
}
