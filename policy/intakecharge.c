/* policy/intakecharge.c: see intakecharge.h. */
#include "policy/intakecharge.h"

#include "lib/clock.h"
#include "policy/notice.h"

bool intake_owes(const struct charges *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->v[i].waived || !*c->v[i].waived)
			return true;
	return false;
}

enum reply_id intake_charge_these(const struct settings *s,
				  struct judge_message *m, struct charges *c,
				  struct buf *why)
{
	switch (charges_commit(s->deliver, c,
			       deadline_in(s->conf->deliver_timeout), why)) {
	case CHARGE_OK:
		notice_charged(c);
		return R_NONE;
	case CHARGE_REACHED:
		return judge_limit_reached(m, c);
	case CHARGE_TEMP:
		break;
	}
	return R_DELIVER_TEMP;
}

enum reply_id intake_charge(const struct settings *s, struct judge_message *m,
			    uint64_t octets, struct buf *why)
{
	struct charges c = { .n = 0 };
	enum reply_id id = R_NO_MEMORY;

	if (limits_charge(&m->limits, octets, (unsigned)s->conf->limit_notice,
			  &c)) {
		id = R_NONE;
		if (c.n > 0)
			id = intake_charge_these(s, m, &c, why);
	}
	charges_release(&c);
	return id;
}
