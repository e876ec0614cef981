/* policy/snapshot.c: see snapshot.h. */
#include "policy/snapshot.h"

#include <stdlib.h>

#include "policy/snapshotint.h"

struct snapshot *snapshot_ref(struct snapshot *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void snapshot_free(struct snapshot *s)
{
	struct snapshot_text *t = s->texts, *next;

	netmap_release(&s->networks);
	keymap_release(&s->domains);
	keymap_release(&s->names);
	keymap_release(&s->rules);
	keymap_release(&s->grants);
	keymap_release(&s->subjects);
	free(s->modes);
	free(s->account);
	free(s->limit);
	for (; t; t = next) {
		next = t->next;
		free(t);
	}
	free(s);
}

void snapshot_put(struct snapshot **s)
{
	struct snapshot *old = *s;

	*s = NULL;
	if (old && atomic_fetch_sub(&old->refs, 1) == 1)
		snapshot_free(old);
}

uint64_t snapshot_generation(const struct snapshot *s)
{
	return s->generation;
}

struct snapshot_size snapshot_size(const struct snapshot *s)
{
	return s->size;
}

enum network_kind snapshot_network(const struct snapshot *s,
				   const struct ipaddr *a)
{
	enum network_kind k;

	(void)snapshot_network_row(s, a, &k, NULL);
	return k;
}

bool snapshot_network_row(const struct snapshot *s, const struct ipaddr *a,
			  enum network_kind *k_r, struct network *net_r)
{
	return netmap_find(&s->networks, a, k_r, net_r);
}

static void copy(char out[PATTERN_MAX + 1], struct span s)
{
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
}

/* The narrowest sender of the rules of one scope. */
static enum access access_in(const struct snapshot *s, struct span scope,
			     const struct addr *sender,
			     struct snapshot_rule *rule_r)
{
	struct pattern_walk w;
	uint32_t action;
	struct span key;

	pattern_begin(&w, sender, PATTERNS_SENDER);
	while (pattern_next(&w, &key)) {
		if (!keymap_find(&s->rules, scope, key, &action))
			continue;
		if (rule_r) {
			copy(rule_r->scope, scope);
			copy(rule_r->sender, key);
		}
		return (enum access)action;
	}
	return ACCESS_NONE;
}

enum access snapshot_access(const struct snapshot *s, const struct addr *rcpt,
			    const struct addr *sender,
			    struct snapshot_rule *rule_r)
{
	struct pattern_walk w;
	struct span scope;
	uint32_t none;

	pattern_begin(&w, rcpt, PATTERNS_SCOPE);
	while (pattern_next(&w, &scope)) {
		enum access found = ACCESS_NONE;

		if (keymap_find(&s->rules, scope, SPAN_EMPTY, &none))
			found = access_in(s, scope, sender, rule_r);
		if (found != ACCESS_NONE)
			return found;
	}
	return ACCESS_NONE;
}

bool snapshot_send_as(const struct snapshot *s, const struct addr *login,
		      const struct addr *sender)
{
	struct pattern_walk l, w;
	struct span from, as;
	uint32_t one;

	if (sender->n == 0)
		return false;
	pattern_begin(&l, login, PATTERNS_LOGIN);
	while (pattern_next(&l, &from)) {
		if (!keymap_find(&s->grants, from, SPAN_EMPTY, &one))
			continue;
		pattern_begin(&w, sender, PATTERNS_SEND_AS);
		while (pattern_next(&w, &as))
			if (keymap_find(&s->grants, from, as, &one))
				return true;
	}
	return false;
}

/* What is said in this row, over what is said elsewhere. */
static void say(const struct account_row *row, struct account_policy *r)
{
	const struct account_policy *v = &row->v;
	unsigned said = row->said;

	if (said & SAID_SUSPENDED)
		r->suspended = v->suspended;
	if (said & SAID_EXPIRES_AT)
		r->expires_at = v->expires_at;
	if (said & SAID_MAY_SEND)
		r->may_send = v->may_send;
	if (said & SAID_MAY_RECEIVE)
		r->may_receive = v->may_receive;
	if (said & SAID_REQUIRE_TLS)
		r->require_tls = v->require_tls;
	if (said & SAID_MAX_SIZE)
		r->max_size = v->max_size;
	if (said & SAID_MAX_SEND_SIZE)
		r->max_send_size = v->max_send_size;
	if (said & SAID_MAX_RECIPIENTS)
		r->max_recipients = v->max_recipients;
	if (said & SAID_RELAY)
		r->relay = v->relay;
	if (said & SAID_RELAY_TO)
		r->relay_to = v->relay_to;
	if (said & SAID_ACCEPT_FROM)
		r->accept_from = v->accept_from;
}

/* From the widest to the narrowest. */
enum { ACCOUNT_NAMES = 3 };

static void account_names(const struct addr *a, struct span name[ACCOUNT_NAMES])
{
	name[0] = SPAN_LIT("*");
	name[1] = span_skip(addr_span(a), a->at);
	name[2] = addr_span(a);
}

void snapshot_account(const struct snapshot *s, const struct addr *a,
		      int64_t now, struct account_policy *r)
{
	struct span name[ACCOUNT_NAMES];
	uint32_t i;

	account_names(a, name);
	*r = (struct account_policy){ .may_send = true,
				      .may_receive = true,
				      .relay = RELAY_YES,
				      .relay_to = SPAN_EMPTY,
				      .accept_from = ACCEPT_ANYONE };
	for (size_t n = 0; n < ACCOUNT_NAMES; n++)
		if (keymap_find(&s->names, name[n], SPAN_EMPTY, &i))
			say(&s->account[i], r);
	r->expired = r->expires_at != 0 && r->expires_at <= now;
}

bool snapshot_account_row(const struct snapshot *s, const struct addr *a,
			  unsigned said, struct span *name_r)
{
	struct span name[ACCOUNT_NAMES];
	uint32_t i;

	account_names(a, name);
	for (size_t n = ACCOUNT_NAMES; n-- > 0;) {
		*name_r = name[n];
		if (keymap_find(&s->names, name[n], SPAN_EMPTY, &i) &&
		    (s->account[i].said & said))
			return true;
	}
	return false;
}

bool snapshot_mode_is_on(const struct snapshot *s, enum predicate_id id)
{
	return s->on[id];
}

void snapshot_modes(const struct snapshot *s, struct span domain,
		    struct policy_modes *m_r)
{
	uint32_t i;

	*m_r = domain.n && keymap_find(&s->domains, domain, SPAN_EMPTY, &i)
		       ? s->modes[i]
		       : s->site;
}

/* The rows of a subject, or the default ones where it has none. */
static size_t limits_of(const struct snapshot *s, struct span subject,
			const char *others, enum limit_direction d,
			const struct limit_row **row_r)
{
	struct span key = limit_direction_key(d);
	size_t n = 0;
	uint32_t i;

	if (!keymap_find(&s->subjects, subject, key, &i) &&
	    !keymap_find(&s->subjects, span_of(others), key, &i))
		return 0;
	for (; i != LIMIT_LAST; i = s->limit[i].next)
		row_r[n++] = &s->limit[i].row;
	return n;
}

size_t snapshot_limits(const struct snapshot *s, const struct addr *a,
		       enum limit_direction d,
		       const struct limit_row *row_r[LIMITS_MAX])
{
	size_t n;

	if (s->size.limits == 0)
		return 0;
	n = limits_of(s, addr_span(a), "*", d, row_r);
	return n +
	       limits_of(s, span_skip(addr_span(a), a->at), "@*", d, row_r + n);
}
