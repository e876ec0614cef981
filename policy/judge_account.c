/* policy/judge_account.c: what the policy's tables say of who sends and of who
 * receives. Without a policy (mailrow lookup) nothing is said; where it was
 * never read that is not known. */
#include "policy/judgeint.h"

#include "lib/clock.h"

static bool is_unknown(struct lookup *l)
{
	return l->j->policy && !lookup_policy(l);
}

/* Whose mail is charged to nobody has no policy. */
static bool look(struct lookup *l, const struct addr *who,
		 struct account_policy *r)
{
	const struct snapshot *s = lookup_policy(l);

	if (!s || who->n == 0)
		return false;
	snapshot_account(s, who, clock_unix(), r);
	return true;
}

/* What is not told is none of them. */
bool judge_is_relay_port(const struct conf *c, unsigned port)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", port);
	return c->relay_ports.n == 0 ||
	       conf_list_has(&c->relay_ports, span_of(text));
}

void judge_login_policy(struct lookup *l, const struct addr *who,
			struct login_facts *f)
{
	struct account_policy p;

	if (who->n > 0 && is_unknown(l))
		f->suspended = f->expired = f->receive_only = F_TEMP;
	if (!look(l, who, &p))
		return;
	f->suspended = fact_of(p.suspended);
	f->expired = fact_of(p.expired);
	f->receive_only = fact_of(!p.may_send);
}

static enum fact is_larger(uint64_t octets, uint64_t most)
{
	return fact_of(most > 0 && octets > most);
}

void judge_sender_size(struct lookup *l, struct judge_message *m)
{
	struct account_policy p;

	if (m->subject.n > 0 && is_unknown(l))
		m->facts.mail.too_large = F_TEMP;
	if (!look(l, &m->subject, &p))
		return;
	m->size_max = p.max_send_size;
	m->facts.mail.too_large = is_larger(m->size, m->size_max);
}

void judge_end(const struct judge *j, const struct judge_client *c,
	       struct judge_message *m, uint64_t octets, struct verdict *v_r)
{
	m->facts.mail.too_large = is_larger(octets, m->size_max);
	*v_r = judge_decide(j, c, STAGE_END, &m->facts, &m->modes);
}

void judge_sender_scope(struct judging *g, struct rcpt_facts *f)
{
	const struct judge_message *m = g->message;
	struct account_policy p;

	if (m->subject.n > 0 && is_unknown(&g->l)) {
		f->rules = F_TEMP;
		f->one_too_many = F_TEMP;
	}
	if (!look(&g->l, &m->subject, &p))
		return;
	f->one_too_many = is_larger(m->nrcpt + 1, p.max_recipients);
	f->scope = p.relay;
	f->in_scope = g->rcpt.n > 0 && p.relay == RELAY_LIST &&
		      pattern_list_has(p.relay_to, addr_domain(&g->rcpt));
}

/* The name without its extension, if it has one. */
static const struct addr *base_of(const struct judging *g, const struct addr *a,
				  struct addr *room)
{
	const char *delimiters = g->l.j->conf->recipient_delimiter;
	struct span extension;

	return addr_strip_extension(a, span_of(delimiters), room, &extension)
		       ? room
		       : a;
}

/* A rule for the name as it is before one for it without its extension. */
static enum access access_of(const struct judging *g, const struct snapshot *s,
			     const struct addr *a, const struct addr *base)
{
	const struct addr *sender = &g->message->named;
	struct snapshot_rule rule;
	enum access found = snapshot_access(s, a, sender, &rule);

	if (a == base || (found != ACCESS_NONE && rule.scope[0] != '@' &&
			  rule.scope[0] != '*'))
		return found;
	return snapshot_access(s, base, sender, NULL);
}

void judge_rcpt_policy(struct judging *g, const struct addr *a,
		       struct rcpt_facts *f, uint64_t *size_max_r)
{
	const struct snapshot *s = lookup_policy(&g->l);
	struct account_policy p;
	const struct addr *base;
	struct addr room;

	*size_max_r = 0;
	if (is_unknown(&g->l)) {
		f->suspended = f->expired = f->send_only = F_TEMP;
		f->needs_tls = f->too_large = f->rules = F_TEMP;
	}
	if (!s || a->n == 0)
		return;
	base = base_of(g, a, &room);
	snapshot_account(s, base, clock_unix(), &p);
	if (g->modes.mode[P_RCPT_SIZE] == M_ENFORCE)
		*size_max_r = p.max_size;
	f->suspended = fact_of(p.suspended);
	f->expired = fact_of(p.expired);
	f->send_only = fact_of(!p.may_receive);
	f->accepts = p.accept_from;
	f->needs_tls = fact_of(p.require_tls);
	f->too_large = is_larger(g->message->size, p.max_size);
	f->access = access_of(g, s, a, base);
}
