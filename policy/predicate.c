/* policy/predicate.c: one predicate, one function; the order is that of
 * predicate.def. F_TEMP is carried through by fact_and() and its like, so that
 * no reply is permanent on a guess. */
#include "policy/predicate.h"

_Static_assert(PREDICATE_COUNT <= 64, "struct verdict has a bit for each");

static enum fact is_login(const struct facts *f)
{
	return fact_of(f->client.authenticated);
}

/* Who speaks for somebody of ours. */
static enum fact is_internal(const struct facts *f)
{
	return fact_or(is_login(f),
		       fact_or(f->client.trusted, f->client.webmail));
}

static enum fact is_stranger(const struct facts *f)
{
	return fact_not(is_internal(f));
}

static enum fact hits_P_NETWORK_BLOCKED(const struct facts *f)
{
	return f->client.blocked;
}

static enum fact hits_P_HELO_FORGED(const struct facts *f)
{
	return fact_and(is_stranger(f), fact_or(fact_of(f->client.helo_ours),
						f->client.helo_served));
}

static enum fact hits_P_LOGIN_DELETED(const struct facts *f)
{
	return fact_and(fact_of(f->login.was_known), fact_not(f->login.known));
}

static enum fact hits_P_LOGIN_DISABLED(const struct facts *f)
{
	return fact_and(f->login.known, fact_not(f->login.active));
}

static enum fact hits_P_LOGIN_SMTP_CLOSED(const struct facts *f)
{
	return fact_and(f->login.known, fact_not(f->login.smtp));
}

static enum fact hits_P_LOGIN_NEEDS_TLS(const struct facts *f)
{
	return fact_and(fact_and(f->login.known, is_login(f)),
			fact_and(f->login.tls_only, fact_of(!f->client.tls)));
}

static enum fact hits_P_LOGIN_SUSPENDED(const struct facts *f)
{
	return f->login.suspended;
}

static enum fact hits_P_LOGIN_EXPIRED(const struct facts *f)
{
	return f->login.expired;
}

static enum fact hits_P_LOGIN_RECEIVE_ONLY(const struct facts *f)
{
	return f->login.receive_only;
}

/* A webmail host that has logged in is judged as a login. */
static enum fact speaks_for_others(const struct facts *f)
{
	return fact_and(f->client.webmail,
			fact_not(fact_or(is_login(f), f->client.trusted)));
}

static enum fact hits_P_WEBMAIL_SENDER(const struct facts *f)
{
	return fact_and(
		speaks_for_others(f),
		fact_and(fact_of(!f->mail.null_sender), f->mail.nobody));
}

static enum fact hits_P_SENDER_NULL(const struct facts *f)
{
	return fact_of(f->client.authenticated && f->mail.null_sender);
}

static enum fact hits_P_SENDER_NOT_OWNED(const struct facts *f)
{
	return fact_and(
		fact_of(f->client.authenticated && !f->mail.null_sender),
		fact_and(f->login.known, f->mail.alien));
}

static enum fact hits_P_SENDER_FORGED(const struct facts *f)
{
	return fact_and(fact_and(is_stranger(f), fact_not(f->client.partner)),
			f->mail.ours);
}

static enum fact hits_P_SIZE_SENDER(const struct facts *f)
{
	return f->mail.too_large;
}

/* How addresses of other people's domains look is the MTA's business. */
static enum fact hits_P_RCPT_SYNTAX(const struct facts *f)
{
	return fact_and(f->rcpt.local, fact_of(!f->rcpt.syntax_ok));
}

static enum fact is_abroad(const struct facts *f)
{
	return fact_and(fact_not(f->rcpt.local), fact_of(!f->rcpt.mta_domain));
}

static enum fact hits_P_RELAY_DENIED(const struct facts *f)
{
	return fact_and(is_abroad(f), fact_or(is_stranger(f),
					      fact_of(!f->client.relay_port)));
}

static enum fact leaves_scope(const struct facts *f)
{
	switch (f->rcpt.scope) {
	case RELAY_YES:
		return F_NO;
	case RELAY_INTERNAL:
		return fact_of(!f->rcpt.mta_domain);
	case RELAY_LIST:
		return fact_of(!f->rcpt.mta_domain && !f->rcpt.in_scope);
	case RELAY_NO:
		return F_YES;
	}
	return F_YES;
}

static enum fact hits_P_RELAY_LOGIN(const struct facts *f)
{
	enum fact leaves = f->rcpt.rules == F_TEMP ? F_TEMP : leaves_scope(f);

	return fact_and(
		fact_not(f->rcpt.local),
		fact_and(fact_or(is_login(f), speaks_for_others(f)), leaves));
}

static enum fact hits_P_DOMAIN_INACTIVE(const struct facts *f)
{
	return fact_and(f->rcpt.local, fact_not(f->rcpt.domain_active));
}

static enum fact hits_P_RCPT_UNKNOWN(const struct facts *f)
{
	return fact_and(f->rcpt.local, fact_not(f->rcpt.known));
}

static enum fact hits_P_RCPT_DISABLED(const struct facts *f)
{
	return fact_and(f->rcpt.local, fact_not(f->rcpt.active));
}

static enum fact hits_P_RCPT_SUSPENDED(const struct facts *f)
{
	return fact_and(f->rcpt.local, f->rcpt.suspended);
}

static enum fact hits_P_RCPT_EXPIRED(const struct facts *f)
{
	return fact_and(f->rcpt.local, f->rcpt.expired);
}

static enum fact hits_P_RCPT_SEND_ONLY(const struct facts *f)
{
	return fact_and(f->rcpt.local, f->rcpt.send_only);
}

static enum fact hits_P_ACCESS_DENIED(const struct facts *f)
{
	return fact_and(f->rcpt.local,
			f->rcpt.rules == F_TEMP
				? F_TEMP
				: fact_of(f->rcpt.access == ACCESS_DENY));
}

/* Whom a rule allows is let in wherever others are not. */
static enum fact is_kept_out(const struct facts *f)
{
	if (f->rcpt.rules == F_TEMP)
		return F_TEMP;
	if (f->rcpt.access == ACCESS_ALLOW || f->rcpt.accepts == ACCEPT_ANYONE)
		return F_NO;
	return f->rcpt.accepts == ACCEPT_LIST ? F_YES : is_stranger(f);
}

static enum fact hits_P_RCPT_RESTRICTED(const struct facts *f)
{
	return fact_and(f->rcpt.local, is_kept_out(f));
}

static enum fact hits_P_RCPT_NEEDS_TLS(const struct facts *f)
{
	return fact_and(f->rcpt.local,
			fact_and(f->rcpt.needs_tls, fact_of(!f->client.tls)));
}

static enum fact hits_P_RCPT_SIZE(const struct facts *f)
{
	return fact_and(f->rcpt.local, f->rcpt.too_large);
}

static enum fact hits_P_RCPT_OVER_QUOTA(const struct facts *f)
{
	return fact_and(f->rcpt.local, fact_not(f->rcpt.room));
}

static enum fact hits_P_RCPTS_PER_MESSAGE(const struct facts *f)
{
	return f->rcpt.one_too_many;
}

static enum fact hits_P_LIMIT_OUT(const struct facts *f)
{
	return f->limit_out;
}

static enum fact hits_P_LIMIT_IN(const struct facts *f)
{
	return f->limit_in;
}

/* Of a login that is the profile's, or a user of a webmail network. */
static enum fact is_ours(const struct facts *f)
{
	return fact_and(fact_or(is_login(f), speaks_for_others(f)),
			f->login.known);
}

static enum fact hits_P_FROM_NOT_OWNED(const struct facts *f)
{
	return fact_and(is_ours(f), f->header.from_alien);
}

static enum fact hits_P_FROM_SEVERAL(const struct facts *f)
{
	return fact_of(f->client.authenticated && f->header.several);
}

static enum fact hits_P_SENDER_FIELD(const struct facts *f)
{
	return fact_and(is_ours(f), f->header.sender_alien);
}

static enum fact hits_P_RESENT_FROM(const struct facts *f)
{
	return fact_and(is_ours(f), f->header.resent_alien);
}

static enum fact hits_P_FROM_FORGED(const struct facts *f)
{
	return fact_and(fact_and(is_stranger(f), fact_not(f->client.partner)),
			f->header.from_ours);
}

static const struct predicate predicates[] = {
#define PREDICATE(id, name, stages, needs, mode, reply, hard, help)            \
	[id] = { name, stages, needs, mode, reply, hard, help },
#include "policy/predicate.def"
#undef PREDICATE
};

static enum fact (*const hits[])(const struct facts *) = {
#define PREDICATE(id, name, stages, needs, mode, reply, hard, help)            \
	[id] = hits_##id,
#include "policy/predicate.def"
#undef PREDICATE
};

const struct predicate *predicate_get(enum predicate_id id)
{
	return &predicates[id];
}

enum predicate_id predicate_find(struct span name)
{
	unsigned i = 0;

	while (i < PREDICATE_COUNT &&
	       !span_eq(name, span_of(predicates[i].name)))
		i++;
	return (enum predicate_id)i;
}

const char *predicate_behind(enum reply_id id)
{
	static const struct {
		enum reply_id id;
		const char *name;
	} others[] = {
		{ R_NONE, "" },
		{ R_NO_MEMORY, "memory" },
		{ R_STOPPING, "stopping" },
		{ R_FORWARD_TEMP, "forward" },
	};

	if (id == R_DELIVER_QUOTA || id == R_DELIVER_FULL)
		return predicates[P_RCPT_OVER_QUOTA].name;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (others[i].id == id)
			return others[i].name;
	for (size_t i = 0; i < PREDICATE_COUNT; i++)
		if (predicates[i].reply == id || predicates[i].hard == id)
			return predicates[i].name;
	return "database";
}

const char *policy_mode_name(enum policy_mode mode)
{
	static const char *const names[] = { [M_OFF] = "off",
					     [M_SHADOW] = "shadow",
					     [M_ENFORCE] = "enforce",
					     [M_FIXED] = "fixed" };

	return names[mode];
}

void policy_modes_default(struct policy_modes *m_r)
{
	for (unsigned i = 0; i < PREDICATE_COUNT; i++)
		m_r->mode[i] = (uint8_t)predicates[i].mode;
}

bool policy_modes_set(struct policy_modes *m, enum predicate_id id,
		      enum policy_mode mode)
{
	if (predicates[id].mode == M_FIXED)
		return false;
	m->mode[id] = (uint8_t)mode;
	return true;
}

/* Of the predicates with two replies, the options choose. */
static enum reply_id reply_of(enum predicate_id id, const struct facts *f)
{
	const struct predicate *p = &predicates[id];
	bool hard =
		id == P_RCPT_OVER_QUOTA ? f->over_quota_hard : f->limit_hard;

	return hard && p->hard != R_NONE ? p->hard : p->reply;
}

/* Is it tried at this stage, and not turned off? */
static bool is_tried(enum predicate_id id, unsigned stage,
		     const struct policy_modes *m)
{
	unsigned stages = predicates[id].stages;

	if ((stages & stage & ~(unsigned)STAGE_STORE) == 0 ||
	    (stage & ~stages & STAGE_STORE) != 0)
		return false;
	return m->mode[id] != M_OFF;
}

struct verdict policy_decide(unsigned stage, const struct facts *f,
			     const struct policy_modes *m, policy_tried tried,
			     void *arg)
{
	struct verdict v = { R_NONE, "", 0 };

	for (unsigned i = 0; i < PREDICATE_COUNT; i++) {
		enum predicate_id id = (enum predicate_id)i;
		enum policy_mode mode = (enum policy_mode)m->mode[i];
		enum fact hit;

		if (!is_tried(id, stage, m))
			continue;
		hit = hits[i](f);
		if (tried)
			tried(arg, id, mode, hit);
		if (hit == F_NO)
			continue;
		if (mode != M_SHADOW) {
			v.id = hit == F_TEMP ? R_STORE_DOWN : reply_of(id, f);
			v.predicate = predicates[i].name;
			return v;
		}
		if (hit == F_YES)
			v.shadow |= UINT64_C(1) << i;
	}
	return v;
}

const char *policy_shadow_next(uint64_t *mask)
{
	for (unsigned i = 0; i < PREDICATE_COUNT; i++) {
		if ((*mask >> i & 1) == 0)
			continue;
		*mask &= ~(UINT64_C(1) << i);
		return predicates[i].name;
	}
	return NULL;
}
