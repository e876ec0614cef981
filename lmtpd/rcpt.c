/* lmtpd/rcpt.c: see rcpt.h. Policy was applied when the mail came in: here it
 * is only asked whether the recipient is there, and where the mail goes. */
#include "lmtpd/rcpt.h"

#include "lib/clock.h"
#include "lib/esc.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lmtpd/say.h"

/* A recipient that is mirrored is with the MTA already, a member of a list that
 * is so is not. */
bool rcpt_goes_on(const struct judged_target *t)
{
	return t->kind == JUDGED_FOREIGN || t->kind == JUDGED_PASS ||
	       (t->kind == JUDGED_MIRROR && !t->itself);
}

static const struct judged_target *first_going_on(const struct judged_rcpt *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (rcpt_goes_on(&r->target[i]))
			return &r->target[i];
	return NULL;
}

/* The MTA has asked the wrong one: bouncing its mail would be our fault. */
static enum reply_id is_for_others(const struct session *s, struct span path)
{
	struct esc_text to;

	log_warn("session %lu: <%s> is served as 'pass': the MTA's transport "
		 "for it must be another one than mailrow-lmtpd",
		 s->id, esc_text(&to, addr_bare(path)));
	return R_MTA_CONFIG;
}

static enum reply_id has_no_way_on(const struct session *s, struct span path,
				   const struct judged_target *t)
{
	struct esc_text to, target;

	log_warn("session %lu: <%s> leads to <%s>, which is not stored here: "
		 "set lmtp_forward, so that it can be handed on",
		 s->id, esc_text(&to, addr_bare(path)),
		 esc_text(&target, addr_span(&t->address)));
	return R_MTA_CONFIG;
}

/* What the judge leaves to us. */
static enum reply_id check(const struct session *s, struct span path,
			   const struct judged_rcpt *r)
{
	const struct judged_target *t = first_going_on(r);

	if (!r->ours)
		return R_RCPT_UNKNOWN;
	if (r->n == 0 || (t && r->keep))
		return is_for_others(s, path);
	if (t && !s->settings->conf->lmtp_forward[0])
		return has_no_way_on(s, path, t);
	return R_NONE;
}

static const struct judge_client client = { .role = JUDGE_STORE };

void rcpt_begin(struct session *s)
{
	struct message *m = &s->message;
	struct verdict none; /* of a sender nothing is asked here */

	judge_mail(&s->settings->judge, &client, span_of(m->sender),
		   m->declared, deadline_in(s->settings->conf->lookup_timeout),
		   &m->judged, &none);
}

enum reply_id rcpt_take(struct session *s, struct span path)
{
	struct reply_words words;
	const char *predicate;
	struct judged_rcpt r;
	enum reply_id id;

	FAULT_PASS(LMTP_RCPT);
	judge_rcpt(&s->settings->judge, &client, &s->message.judged, path,
		   deadline_in(s->settings->conf->lookup_timeout), &r);
	FAULT_PASS(LMTP_JUDGED);
	id = r.verdict.id;
	predicate = r.verdict.predicate;
	if (id == R_NONE) {
		id = check(s, path, &r);
		predicate = "lmtp";
	}
	if (id == R_NONE)
		id = intake_add(&s->message.intake, path, &r);
	else
		judged_release(&r);
	judge_words(&client, &s->message.judged, &words);
	if (id == R_NONE)
		say_accepted(s, path);
	else
		say_rejected(s, SAY_RCPT, path, id, predicate, &words);
	return id;
}
