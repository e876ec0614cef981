/* pop3d/poptls.c: see poptls.h. */
#include "pop3d/poptls.h"

#include "pop3d/popcmd.h"
#include "pop3d/popstate.h"

bool poptls_offered(const struct popstate *s)
{
	return s->rules.stls && !s->tls && s->state == ST_AUTH;
}

bool poptls_missing(const struct popstate *s)
{
	return s->rules.needs_tls && !s->tls;
}

struct pop_event pop_stls(struct popstate *s, const struct popcmd_args *a)
{
	(void)a;
	if (s->tls)
		return pop_err(R_POP_STLS_ON);
	if (!s->rules.stls)
		return pop_err(R_POP_STLS_OFF);
	s->job = JOB_STLS;
	return pop_event(POP_WAIT);
}

void poptls_answer(struct popstate *s, bool octets_behind)
{
	if (octets_behind)
		popstate_conclude(s,
				  pop_end(R_POP_STLS_AHEAD, CHAN_END_ERRORS));
	else
		buf_puts(s->out, "+OK begin TLS\r\n");
}

/* What failed so far still counts: a login is not to be had by trying anew
 * under each layer. */
void poptls_begun(struct popstate *s)
{
	s->tls = true;
	s->errors = 0;
	buf_reset(&s->user);
	if (s->job == JOB_STLS)
		s->job = JOB_NONE;
}
