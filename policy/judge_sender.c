/* policy/judge_sender.c: who sends: the client's network and greeting, the
 * sender of the envelope, and the authors that the header names. What no
 * predicate asks for is not looked up. */
#include "policy/judgeint.h"

#include <string.h>

#include "policy/helo.h"
#include "policy/lookup_owns.h"

static bool is_on(const struct policy_modes *m, enum predicate_id id)
{
	return m->mode[id] != M_OFF;
}

void judge_modes(struct lookup *l, struct span domain, struct policy_modes *m_r)
{
	const struct snapshot *s = lookup_policy(l);

	if (s)
		snapshot_modes(s, domain, m_r);
	else
		policy_modes_default(m_r);
	/* until somebody has said what the MTA serves, we would reject its
	 * mail */
	if (l->j->conf->mta_domains.n == 0)
		(void)policy_modes_set(m_r, P_RELAY_DENIED, M_SHADOW);
}

static void network_facts(struct lookup *l, const struct judge_client *c,
			  struct client_facts *f)
{
	const struct snapshot *s = lookup_policy(l);
	enum network_kind k = NETWORK_PLAIN;

	if (!c->has_addr)
		return;
	if (s) {
		k = snapshot_network(s, &c->addr);
		f->blocked = fact_of(k == NETWORK_BLOCKED);
		f->trusted = fact_of(k == NETWORK_TRUSTED);
		f->webmail = fact_of(k == NETWORK_WEBMAIL);
		f->partner = fact_of(k == NETWORK_PARTNER);
	} else {
		f->blocked = f->trusted = f->webmail = f->partner = F_TEMP;
	}
	if (network_set_has(&l->j->conf->trusted_networks, &c->addr))
		f->trusted = F_YES;
}

/* Nothing that concerns strangers is asked of them. */
static bool is_inside(const struct client_facts *f)
{
	return f->authenticated || f->trusted == F_YES || f->webmail == F_YES;
}

/* A program on our own host greets with our name. */
static bool is_ourselves(const struct judge_client *c)
{
	return c->has_addr && (ipaddr_is_loopback(&c->addr) ||
			       (c->has_self && memcmp(&c->addr, &c->self,
						      sizeof(c->self)) == 0));
}

static void helo_facts(struct lookup *l, const struct judge_client *c,
		       struct judge_message *m)
{
	const struct helo_self self = { .mta = c->mta,
					.hosts = &l->j->conf->own_hosts,
					.addr = c->self,
					.has_addr = c->has_self };
	struct client_facts *f = &m->facts.client;
	char domain[ADDR_DOMAIN_MAX + 1];
	size_t n;

	if (!is_on(&m->modes, P_HELO_FORGED) || is_inside(f) || is_ourselves(c))
		return;
	f->helo_ours = helo_is_ours(c->helo, &self);
	if (!f->helo_ours && helo_domain(c->helo, domain, &n))
		f->helo_served = lookup_stranger(l, span_make(domain, n));
}

/* A webmail host speaks for the account that the sender is, perhaps with an
 * extension. */
static void webmail_facts(struct lookup *l, struct judge_message *m)
{
	const struct client_facts *f = &m->facts.client;
	struct span delimiters = span_of(l->j->conf->recipient_delimiter);
	struct span extension;
	struct addr base;
	enum fact known = F_NO;

	if (f->webmail != F_YES || f->authenticated || f->trusted == F_YES)
		return;
	m->subject = m->sender;
	if (m->sender.n > 0)
		known = lookup_known(l, &m->sender);
	if (known == F_NO && m->sender.n > 0 &&
	    addr_strip_extension(&m->sender, delimiters, &base, &extension)) {
		known = lookup_known(l, &base);
		if (known == F_YES)
			m->subject = base;
	}
	m->facts.mail.nobody = fact_not(known);
}

static struct span named_domain(const struct judge_message *m)
{
	return m->named.n > 0 ? addr_domain(&m->named) : SPAN_EMPTY;
}

/* A stranger may name whom he likes: what a domain has said of itself holds for
 * who has logged in, and for whoever uses its name. */
static void sender_modes(struct lookup *l, struct judge_message *m)
{
	const struct addr *who = &m->subject;
	struct policy_modes named;

	judge_modes(l, who->n > 0 ? addr_domain(who) : SPAN_EMPTY, &m->modes);
	if (who->n > 0)
		return;
	judge_modes(l, named_domain(m), &named);
	(void)policy_modes_set(&m->modes, P_SENDER_FORGED,
			       (enum policy_mode)named.mode[P_SENDER_FORGED]);
}

void judge_client_facts(struct lookup *l, const struct judge_client *c,
			struct judge_message *m)
{
	struct client_facts *f = &m->facts.client;
	const struct snapshot *s;

	*f = (struct client_facts){ .authenticated = c->authenticated,
				    .tls = c->tls,
				    .relay_port = judge_is_relay_port(
					    l->j->conf, c->port) };
	policy_modes_default(&m->modes);
	if (c->role == JUDGE_STORE)
		return;
	network_facts(l, c, f);
	m->subject = c->login;
	webmail_facts(l, m);
	sender_modes(l, m);
	s = lookup_policy(l);
	m->guarded = s ? snapshot_mode_is_on(s, P_FROM_FORGED)
		       : is_on(&m->modes, P_FROM_FORGED);
	helo_facts(l, c, m);
}

/* A grant is one for the address with any extension. */
static bool is_granted(struct lookup *l, const struct snapshot *s,
		       const struct addr *login, const struct addr *sender)
{
	struct span delimiters = span_of(l->j->conf->recipient_delimiter);
	struct span extension;
	struct addr base;

	return snapshot_send_as(s, login, sender) ||
	       (addr_strip_extension(sender, delimiters, &base, &extension) &&
		snapshot_send_as(s, login, &base));
}

static enum fact owns(struct lookup *l, const struct addr *login,
		      const struct addr *sender)
{
	const struct snapshot *s = lookup_policy(l);
	enum fact f;

	if (s && is_granted(l, s, login, sender))
		return F_YES;
	f = lookup_owns(l, login, sender);
	return f == F_NO && !s ? F_TEMP : f;
}

/* What is no address is nobody's. */
static void owner_facts(struct lookup *l, const struct judge_client *c,
			struct judge_message *m)
{
	if (!is_on(&m->modes, P_SENDER_NOT_OWNED) || c->login.n == 0 ||
	    m->null_sender || m->facts.login.known == F_NO)
		return;
	m->facts.mail.alien =
		m->sender.n == 0 ? F_YES
				 : fact_not(owns(l, &c->login, &m->sender));
}

void judge_sender_facts(struct lookup *l, const struct judge_client *c,
			struct judge_message *m)
{
	if (c->role == JUDGE_STORE)
		return;
	owner_facts(l, c, m);
	if (is_on(&m->modes, P_SENDER_FORGED) && named_domain(m).n > 0 &&
	    !is_inside(&m->facts.client) && m->facts.client.partner != F_YES)
		m->facts.mail.ours = lookup_stranger(l, named_domain(m));
}

/* Headers. */

bool judge_wants_headers(const struct judge_client *c,
			 const struct judge_message *m)
{
	const struct client_facts *f = &m->facts.client;

	if (c->role == JUDGE_STORE)
		return false;
	if (c->authenticated || m->subject.n > 0)
		return is_on(&m->modes, P_FROM_NOT_OWNED) ||
		       is_on(&m->modes, P_FROM_SEVERAL) ||
		       is_on(&m->modes, P_SENDER_FIELD) ||
		       is_on(&m->modes, P_RESENT_FROM);
	return m->guarded && !is_inside(f) && f->partner != F_YES;
}

/* What cannot be read may be shown as anybody's. */
static enum fact has_alien(struct lookup *l, const struct judge_message *m,
			   enum predicate_id id, const struct addrlist *list)
{
	enum fact alien = F_NO;

	if (!is_on(&m->modes, id) || m->subject.n == 0 ||
	    m->facts.login.known == F_NO)
		return F_NO;
	if (list->broken)
		return F_YES;
	for (size_t i = 0; i < list->n && alien != F_YES; i++)
		alien = fact_or(alien, fact_not(owns(l, &m->subject,
						     &list->entry[i].addr)));
	return alien;
}

/* The modes of one domain that From names; empty: of more than are looked at,
 * behind whom nobody hides one. */
static void take_named(struct lookup *l, struct span domain,
		       struct judge_message *m, struct policy_modes *modes,
		       enum fact *ours)
{
	enum fact is_ours = domain.n ? lookup_stranger(l, domain) : F_YES;
	struct policy_modes of;

	if (is_ours == F_NO)
		return;
	judge_modes(l, domain, &of);
	if (of.mode[P_FROM_FORGED] < modes->mode[P_FROM_FORGED])
		return;
	if (of.mode[P_FROM_FORGED] > modes->mode[P_FROM_FORGED])
		*ours = F_NO;
	*ours = fact_or(*ours, is_ours);
	(void)policy_modes_set(modes, P_FROM_FORGED,
			       (enum policy_mode)of.mode[P_FROM_FORGED]);
	if (domain.n)
		memcpy(m->forged, domain.p, domain.n);
	m->forged[domain.n] = '\0';
}

/* The strictest of the domains of ours in From decides. */
static enum fact has_ours(struct lookup *l, const struct addrlist *list,
			  struct judge_message *m, struct policy_modes *modes)
{
	enum fact ours = F_NO;

	(void)policy_modes_set(modes, P_FROM_FORGED, M_OFF);
	if (list->overflow)
		take_named(l, SPAN_EMPTY, m, modes, &ours);
	for (size_t i = 0; i < list->n; i++)
		take_named(l, addr_domain(&list->entry[i].addr), m, modes,
			   &ours);
	return ours;
}

static void header_facts(struct lookup *l, const struct judge_client *c,
			 struct judge_message *m, const struct authors *a,
			 struct policy_modes *modes)
{
	struct header_facts *f_r = &m->facts.header;

	f_r->several = !authors_has_one(a);
	f_r->from_alien = has_alien(l, m, P_FROM_NOT_OWNED, &a->from);
	f_r->sender_alien = has_alien(l, m, P_SENDER_FIELD, &a->sender);
	f_r->resent_alien = has_alien(l, m, P_RESENT_FROM, &a->resent);
	if (!c->authenticated && m->subject.n == 0)
		f_r->from_ours = has_ours(l, &a->from, m, modes);
}

void judge_headers(const struct judge *j, const struct judge_client *c,
		   struct judge_message *m, const struct authors *a,
		   int64_t deadline, struct verdict *v_r)
{
	struct policy_modes modes = m->modes;
	struct lookup l;

	*v_r = judge_verdict(R_NONE, "");
	m->forged[0] = '\0';
	if (!judge_wants_headers(c, m))
		return;
	lookup_begin(&l, j, deadline);
	header_facts(&l, c, m, a, &modes);
	lookup_end(&l);
	*v_r = judge_decide(j, c, STAGE_HEADERS, &m->facts, &modes);
}
