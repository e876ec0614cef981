/* policy/login.c: one predicate, one function, one row; the order is the
 * policy. */
#include "policy/login.h"

/* First: no 5xx while a fact that it hangs on is not known. */
static enum reply_id pred_accounts_up(const struct login_facts *f)
{
	return f->known == F_TEMP ? R_STORE_DOWN : R_NONE;
}

/* Deleted meanwhile. */
static enum reply_id pred_known(const struct login_facts *f)
{
	return f->known == F_NO && f->was_known ? R_LOGIN_CLOSED : R_NONE;
}

static enum reply_id pred_active(const struct login_facts *f)
{
	return f->known == F_YES && f->active == F_NO ? R_LOGIN_CLOSED : R_NONE;
}

static enum reply_id pred_smtp(const struct login_facts *f)
{
	return f->known == F_YES && f->smtp == F_NO ? R_LOGIN_CLOSED : R_NONE;
}

static const struct {
	const char *name;
	enum reply_id (*test)(const struct login_facts *);
} login_predicates[] = {
	{ "accounts-up", pred_accounts_up },
	{ "login-known", pred_known },
	{ "login-active", pred_active },
	{ "login-smtp", pred_smtp },
};

struct verdict policy_login(const struct login_facts *f)
{
	for (size_t i = 0;
	     i < sizeof(login_predicates) / sizeof(*login_predicates); i++) {
		enum reply_id id = login_predicates[i].test(f);

		if (id != R_NONE)
			return (struct verdict){ id, login_predicates[i].name,
						 "" };
	}
	return (struct verdict){ R_NONE, "", "" };
}
