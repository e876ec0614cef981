/* ctl/checkmtafilter.c: mail that is filtered after smtpd must not be stored
 * before: there the policy socket decides, and what comes back is stored. */
#include "ctl/checkmta.h"

#include "lib/esc.h"

static void test_service(struct mta *m, const struct mta_service *s,
			 const char *name)
{
	struct span filter = mta_get(m, s, name);
	char where[MTA_WHERE_MAX], fix[CHECK_FIX_MAX];
	struct esc_text v;
	unsigned roles;
	bool last;

	roles = mta_roles(m, s, &last);
	if (filter.n == 0 || !roles)
		return;
	if (roles & (MTA_FULL | MTA_STORE))
		mta_say(m, CHECK_FAIL, "filter", mta_policy_fix(m, s, fix),
			"%s is %s, and our milter stores before it: name the "
			"policy socket there, and let LMTP or the store socket "
			"store what comes back",
			mta_where(m, s, name, where), esc_text(&v, filter));
	else
		mta_say(m, CHECK_OK, "filter", "",
			"%s is %s, with the policy socket before it",
			mta_where(m, s, name, where), esc_text(&v, filter));
}

void checkmtafilter_run(struct mta *m)
{
	const struct mta_service *s = NULL;

	while ((s = mta_next(m, "smtpd", s))) {
		test_service(m, s, "content_filter");
		test_service(m, s, "smtpd_proxy_filter");
	}
	if (!m->filters)
		mta_say(m, CHECK_OK, "filter", "",
			"nothing filters mail behind our milter");
}
