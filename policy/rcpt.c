/* policy/rcpt.c: one predicate, one function, one row; the order is the
 * policy. */
#include "policy/rcpt.h"

/* First: no 5xx while a fact that it hangs on is not known. */
static enum reply_id pred_store_up(const struct rcpt_facts *f)
{
	if (f->local == F_TEMP)
		return R_STORE_DOWN;
	if (f->local == F_NO || f->domain_active == F_NO)
		return R_NONE;
	if (f->domain_active == F_TEMP || f->known == F_TEMP)
		return R_STORE_DOWN;
	if (f->known == F_NO || f->active == F_NO)
		return R_NONE;
	return f->active == F_TEMP || f->room == F_TEMP ? R_STORE_DOWN : R_NONE;
}

/* How addresses of other people's domains look is the MTA's business. */
static enum reply_id pred_syntax(const struct rcpt_facts *f)
{
	return f->local == F_YES && !f->syntax_ok ? R_RCPT_SYNTAX : R_NONE;
}

static enum reply_id pred_relay(const struct rcpt_facts *f)
{
	return f->local == F_NO && !f->mta_domain && !f->authenticated &&
			       !f->trusted
		       ? R_RELAY_DENIED
		       : R_NONE;
}

static enum reply_id pred_domain_active(const struct rcpt_facts *f)
{
	return f->local == F_YES && f->domain_active == F_NO ? R_RCPT_DISABLED
							     : R_NONE;
}

static enum reply_id pred_known(const struct rcpt_facts *f)
{
	return f->local == F_YES && f->known == F_NO ? R_RCPT_UNKNOWN : R_NONE;
}

static enum reply_id pred_active(const struct rcpt_facts *f)
{
	return f->local == F_YES && f->active == F_NO ? R_RCPT_DISABLED
						      : R_NONE;
}

static enum reply_id pred_room(const struct rcpt_facts *f)
{
	return f->local == F_YES && f->room == F_NO ? R_RCPT_OVER_QUOTA
						    : R_NONE;
}

/* Until somebody has said what the MTA serves, we would reject its mail. */
static bool shadow_relay(const struct rcpt_facts *f)
{
	return !f->mta_domains_set;
}

static const struct {
	const char *name;
	enum reply_id (*test)(const struct rcpt_facts *);
	bool (*in_shadow)(const struct rcpt_facts *); /* NULL: never */
} rcpt_predicates[] = {
	{ "store-up", pred_store_up, NULL },
	{ "syntax", pred_syntax, NULL },
	{ "relay", pred_relay, shadow_relay },
	{ "domain-active", pred_domain_active, NULL },
	{ "known", pred_known, NULL },
	{ "active", pred_active, NULL },
	{ "room", pred_room, NULL },
};

struct verdict policy_rcpt(const struct rcpt_facts *f)
{
	struct verdict v = { R_NONE, "", "" };
	size_t n = sizeof(rcpt_predicates) / sizeof(*rcpt_predicates);

	for (size_t i = 0; i < n; i++) {
		enum reply_id id = rcpt_predicates[i].test(f);

		if (id == R_NONE)
			continue;
		if (!rcpt_predicates[i].in_shadow ||
		    !rcpt_predicates[i].in_shadow(f)) {
			v.id = id;
			v.predicate = rcpt_predicates[i].name;
			return v;
		}
		if (!v.shadow[0])
			v.shadow = rcpt_predicates[i].name;
	}
	return v;
}
