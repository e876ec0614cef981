/* policy/judge.c: see judge.h. The database being away is one of the values
 * of a fact, so nothing here returns an error. */
#include "policy/judge.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/metric.h"
#include "policy/judgeint.h"

struct verdict judge_decide(const struct judge *j, const struct judge_client *c,
			    unsigned stage, const struct facts *f,
			    const struct policy_modes *m)
{
	if (c->role == JUDGE_STORE)
		stage |= STAGE_STORE;
	if (j->began)
		j->began(j->tried_arg, stage);
	return policy_decide(stage, f, m, j->tried, j->tried_arg);
}

static void login_facts(struct lookup *l, const struct judge_client *c,
			const struct judge_message *m, struct login_facts *f_r)
{
	bool *known = c->login.n > 0 ? c->login_known : NULL;

	*f_r = (struct login_facts){ .known = F_NO };
	if (m->subject.n > 0 && c->role != JUDGE_STORE) {
		lookup_login(l, &m->subject, f_r);
		judge_login_policy(l, &m->subject, f_r);
	}
	f_r->was_known = known && *known;
	if (known && f_r->known == F_YES)
		*known = true;
}

/* The domain of an address that is otherwise none: what follows the last @.
 * Empty: a bare name, which is the MTA's own. */
static struct span broken_domain(struct span path)
{
	struct span domain = SPAN_EMPTY;

	if (path.n && path.p[path.n - 1] == '>')
		path.n--;
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] == '@')
			domain = span_skip(path, i + 1);
	return domain;
}

/* Rules about his domain are for him, too, and he is not the null sender. */
static void name_sender(struct judge_message *m, struct span sender)
{
	struct addr *a = &m->named;
	size_t n;

	*a = m->sender;
	if (a->n > 0 || m->null_sender)
		return;
	a->at = 0;
	a->text[0] = '@';
	if (addr_domain_parse(broken_domain(sender), a->text + 1, &n) !=
	    ADDR_OK)
		n = 0;
	a->text[1 + n] = '\0';
	a->n = (uint16_t)(1 + n);
}

void judge_mail(const struct judge *j, const struct judge_client *c,
		struct span sender, uint64_t size, int64_t deadline,
		struct judge_message *m_r, struct verdict *v_r)
{
	struct lookup l;

	*m_r = (struct judge_message){ .size = size,
				       .null_sender = sender.n == 0 };
	m_r->facts.mail.null_sender = m_r->null_sender;
	/* where mail is only stored, the sender has been told that it is
	 * accepted, and a hard reply would be a bounce */
	m_r->only_stored = c->role == JUDGE_STORE;
	m_r->facts.over_quota_hard =
		!m_r->only_stored &&
		span_eq(span_of(j->conf->over_quota), SPAN_LIT("reject"));
	m_r->facts.limit_hard =
		!m_r->only_stored &&
		span_eq(span_of(j->conf->limit_reply), SPAN_LIT("reject"));
	if (addr_parse(sender, j->conf->fold_local_part, &m_r->sender) !=
	    ADDR_OK)
		m_r->sender.n = 0;
	name_sender(m_r, sender);
	lookup_begin(&l, j, deadline);
	judge_client_facts(&l, c, m_r);
	login_facts(&l, c, m_r, &m_r->facts.login);
	judge_sender_facts(&l, c, m_r);
	judge_sender_size(&l, m_r);
	*v_r = judge_decide(j, c, STAGE_MAIL, &m_r->facts, &m_r->modes);
	lookup_end(&l);
}

/* A domain that has no canonical form, such as an address literal, is not
 * ours. */
static void judge_domain(struct lookup *l, struct span domain,
			 struct rcpt_facts *f)
{
	const struct conf_list *mta = &l->j->conf->mta_domains;
	struct domain_facts d = { .ours = F_NO, .active = F_NO };
	char canonical[ADDR_DOMAIN_MAX + 1];
	size_t n;

	if (addr_domain_parse(domain, canonical, &n) == ADDR_OK) {
		domain = span_make(canonical, n);
		lookup_domain(l, domain, &d);
	}
	f->local = d.ours;
	f->domain_active = d.active;
	f->mta_domain = domain.n == 0 || conf_list_has(mta, domain);
}

/* What the recipient's name tells, and who has logged in. */
static void rcpt_facts(struct judging *g, struct span rcpt)
{
	const struct judge *j = g->l.j;
	struct rcpt_facts *f = &g->facts.rcpt;

	*f = (struct rcpt_facts){ .syntax_ok = false };
	f->syntax_ok =
		addr_parse(rcpt, j->conf->fold_local_part, &g->rcpt) == ADDR_OK;
	judge_domain(&g->l,
		     f->syntax_ok ? addr_domain(&g->rcpt) : broken_domain(rcpt),
		     f);
	login_facts(&g->l, g->client, g->message, &g->facts.login);
}

/* Whoever sends has the modes of his own domain. */
static void rcpt_modes(struct judging *g)
{
	const struct policy_modes *sender = &g->message->modes;

	judge_modes(&g->l,
		    g->facts.rcpt.syntax_ok ? addr_domain(&g->rcpt)
					    : SPAN_EMPTY,
		    &g->modes);
	for (unsigned i = 0; i < PREDICATE_COUNT; i++) {
		enum predicate_id id = (enum predicate_id)i;

		if (predicate_get(id)->stages & OF_SENDER)
			(void)policy_modes_set(
				&g->modes, id,
				(enum policy_mode)sender->mode[i]);
	}
}

/* After the modes. */
static void policy_facts(struct judging *g)
{
	struct rcpt_facts *f = &g->facts.rcpt;

	judge_sender_scope(g, f);
	if (f->local != F_NO)
		judge_rcpt_policy(g, &g->rcpt, f, &g->r->size_max);
}

void judge_rcpt(const struct judge *j, const struct judge_client *c,
		struct judge_message *m, struct span rcpt, int64_t deadline,
		struct judged_rcpt *r)
{
	struct judging g = {
		.client = c, .message = m, .facts = m->facts, .r = r
	};
	int64_t begun = clock_us();
	uint64_t shadow;

	memset(r, 0, sizeof(*r));
	lookup_begin(&g.l, j, deadline);
	rcpt_facts(&g, rcpt);
	rcpt_modes(&g);
	policy_facts(&g);
	r->ours = g.facts.rcpt.local == F_YES;
	r->keep = true;
	judge_limit(&g, LIMIT_OUT, &m->subject, &g.facts);
	r->verdict = judge_decide(j, c, STAGE_RCPT, &g.facts, &g.modes);
	shadow = r->verdict.shadow;
	if (r->verdict.id == R_NONE && r->ours) {
		r->keep = false;
		judge_local(&g);
		r->verdict.shadow |= shadow;
	}
	if (r->verdict.id == R_NONE) {
		judge_limit_count(&g);
		m->nrcpt++;
	}
	lookup_end(&g.l);
	metric_add_time(M_RCPT_SECONDS, begun);
}

void judge_message_release(struct judge_message *m)
{
	limits_release(&m->limits);
	holding_release(&m->holding);
}

void judged_release(struct judged_rcpt *r)
{
	free(r->target);
	memset(r, 0, sizeof(*r));
}

bool judged_rcpt_goes_on(const struct judged_rcpt *r)
{
	for (size_t k = 0; k < r->n; k++)
		if (judged_goes_on(&r->target[k]))
			return true;
	return r->n == 0;
}

const struct judged_target *judged_full(const struct judged_rcpt *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->target[i].kind == JUDGED_FULL)
			return &r->target[i];
	return NULL;
}

bool judged_denies(const struct judged_rcpt *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct judged_target *t = &r->target[i];
		enum predicate_id id =
			t->kind == JUDGED_LEFT_OUT && t->why.predicate
				? predicate_find(span_of(t->why.predicate))
				: PREDICATE_COUNT;

		if (id < PREDICATE_COUNT &&
		    (predicate_get(id)->stages & STAGE_STORE) == 0)
			return true;
	}
	return false;
}

/* What had room for one octet has some. */
static uint64_t room_of(const struct judged_target *t)
{
	return judged_stores(t) && t->quota > t->box.octets
		       ? t->quota - t->box.octets
		       : 0;
}

void judged_keep(struct judged_rcpt *r)
{
	struct judged_rcpt kept = { .keep = true, .size_max = r->size_max };

	if (r->n == 1 && r->target[0].size_max > 0)
		kept.size_max = r->target[0].size_max;
	if (r->n == 1)
		kept.room = room_of(&r->target[0]);
	judged_release(r);
	*r = kept;
}

void judged_leave_out_full(struct judged_rcpt *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->target[i].kind == JUDGED_FULL)
			r->target[i].kind = JUDGED_LEFT_OUT;
}

const char *judged_kind_name(enum judged_kind kind)
{
	static const char *const names[] = {
		[JUDGED_STORE] = "store", [JUDGED_MIRROR] = "mirror",
		[JUDGED_PASS] = "pass",   [JUDGED_FOREIGN] = "forward",
		[JUDGED_FULL] = "full",   [JUDGED_LEFT_OUT] = "left out",
	};

	return names[kind];
}

static const char *const role_names[] = {
	[JUDGE_FULL] = "full",
	[JUDGE_POLICY] = "policy",
	[JUDGE_STORE] = "store",
};

const char *judge_role_name(enum judge_role role)
{
	return role_names[role];
}

bool judge_role_find(struct span name, enum judge_role *role_r)
{
	for (size_t i = 0; i < sizeof(role_names) / sizeof(*role_names); i++) {
		*role_r = (enum judge_role)i;
		if (span_is(name, role_names[i]))
			return true;
	}
	return false;
}

void judge_words(const struct judge_client *c, const struct judge_message *m,
		 struct reply_words *w_r)
{
	const struct addr *login = c->login.n ? &c->login : &m->subject;

	*w_r = (struct reply_words){ .login = addr_span(login),
				     .subject = span_of(m->limited),
				     .until = span_of(m->limited_text) };
}
