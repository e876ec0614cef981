/* milter/finish.c: see finish.h. Nothing here answers success before
 * intake_store() has; everything after it that fails is answered 451, since
 * the retry will be known as a duplicate.
 *
 * smfi_progress() is not needed: it would keep the MTA waiting longer than its
 * own timeout for content (Postfix 300 s, Sendmail 5 min), and deliver_timeout
 * cannot be set beyond 240 s. */
#include "milter/finish.h"

#include "lib/clock.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "lib/trace.h"
#include "milter/drain.h"
#include "milter/say.h"
#include "policy/intakecharge.h"
#include "policy/intakelog.h"

enum { WHY_MAX = 512 };

static struct intake_facts finish_facts(const struct session *s)
{
	const struct message *m = &s->message;

	return (struct intake_facts){
		.sender = span_of(m->sender),
		.helo = span_of(s->helo),
		.client_name = span_of(s->name),
		.client_addr = span_of(s->addr),
		.by = span_of(s->mta),
		.with = trace_with(m->esmtp, s->tls[0] != '\0',
				   s->client.authenticated, m->utf8),
		.tls = span_of(s->tls),
		.queue_id = span_of(m->queue_id),
		.begun = m->begun,
	};
}

/* The mailbox of a list that turns out at the end not to take the mail is
 * treated as one that did not at RCPT. */
static enum reply_id store(struct session *s, const struct intake_facts *f,
			   struct buf *why)
{
	struct message *m = &s->message;
	enum reply_id id;

	for (;;) {
		buf_reset(why);
		id = intake_store(&m->intake, 0, m->intake.nrcpt, s->settings,
				  &m->content, f, &m->judged, why);
		if (!intake_full(id) ||
		    !intake_without_full(&m->intake, 0, m->intake.nrcpt))
			return id;
		message_full(m, s->settings->conf);
	}
}

static enum reply_id finish_store(struct session *s)
{
	struct message *m = &s->message;
	struct intake_facts facts = finish_facts(s);
	struct buf why = BUF_INIT(WHY_MAX);
	enum reply_id id = R_NONE;

	if (FAULT(MILTER_EOM_BEGIN))
		id = R_DELIVER_TEMP;
	content_finish(&m->content, facts.queue_id);
	if (id == R_NONE)
		id = store(s, &facts, &why);
	intake_log_mail(&m->intake, &m->content, &facts);
	intake_log(&m->intake, 0, m->intake.nrcpt, &facts, id, &why);
	buf_release(&why);
	return id;
}

/* Nothing is stored, but somebody may be left out. */
static void finish_log(const struct session *s)
{
	const struct intake *in = &s->message.intake;
	struct intake_facts facts = finish_facts(s);
	struct buf why = BUF_INIT(WHY_MAX);

	intake_log(in, 0, in->nrcpt, &facts, R_NONE, &why);
}

/* A mail of whose recipients we know nothing is not ours to throw away. */
static bool may_discard(const struct message *m)
{
	if (m->intake.nrcpt == 0)
		return false;
	for (size_t i = 0; i < m->intake.nrcpt; i++)
		if (judged_rcpt_goes_on(&m->intake.rcpt[i].judged))
			return false;
	return true;
}

static bool is_new(const struct judged_target *t)
{
	return judged_goes_on(t) && !t->itself;
}

/* Two recipients may lead to the same address. */
static bool was_added(const struct message *m, size_t rcpt,
		      const struct judged_target *t)
{
	for (size_t i = 0; i < rcpt; i++) {
		const struct judged_rcpt *r = &m->intake.rcpt[i].judged;

		for (size_t k = 0; k < r->n; k++)
			if (is_new(&r->target[k]) &&
			    span_eq(addr_span(&r->target[k].address),
				    addr_span(&t->address)))
				return true;
	}
	return false;
}

static bool add_targets(SMFICTX *ctx, const struct message *m, size_t rcpt)
{
	const struct judged_rcpt *r = &m->intake.rcpt[rcpt].judged;

	for (size_t k = 0; k < r->n; k++) {
		const struct judged_target *t = &r->target[k];

		if (is_new(t) && !was_added(m, rcpt, t) &&
		    !mf_add_recipient(ctx, &t->address))
			return false;
	}
	return true;
}

/* Deleted and added again it would be gone: the MTA deletes by the address,
 * whenever that came into the envelope. */
static bool stays(const struct judged_rcpt *r)
{
	for (size_t k = 0; k < r->n; k++)
		if (r->target[k].itself)
			return true;
	return r->n == 0 || r->keep;
}

/* What we have seen to leaves the envelope; what an alias leads to elsewhere
 * comes into it. libmilter wants char *, which is what argv[0] of RCPT was. */
static bool edit_recipients(SMFICTX *ctx, const struct message *m)
{
	for (size_t i = 0; i < m->intake.nrcpt; i++) {
		const struct intake_rcpt *r = &m->intake.rcpt[i];

		if (!FAULT(MILTER_EDIT) && add_targets(ctx, m, i) &&
		    (stays(&r->judged) ||
		     smfi_delrcpt(ctx, r->path) == MI_SUCCESS))
			continue;
		log_warn("%s: cannot change the recipients: the MTA does not "
			 "take it",
			 message_id(m));
		return false;
	}
	return true;
}

static sfsistat finish_verdict(SMFICTX *ctx, const struct session *s)
{
	if (s->settings->conf->discard_when_done && may_discard(&s->message))
		return SMFIS_DISCARD;
	if (!edit_recipients(ctx, &s->message))
		return mf_reject(ctx, R_DELIVER_TEMP);
	return SMFIS_CONTINUE;
}

static struct verdict judge_authors(struct session *s)
{
	static const struct authors none;
	struct message *m = &s->message;
	enum reply_id lost = m->authors_lost ? R_NO_MEMORY : R_NONE;
	struct verdict v = { lost, predicate_behind(lost), 0 };

	if (v.id == R_NONE && m->open)
		judge_headers(&s->settings->judge, &s->client, &m->judged,
			      m->authors ? m->authors : &none,
			      deadline_in(s->settings->conf->lookup_timeout),
			      &v);
	FAULT_PASS(MILTER_HEADERS_JUDGED);
	return v;
}

sfsistat finish_header(SMFICTX *ctx, struct session *s)
{
	struct verdict v = judge_authors(s);

	if (v.id == R_NONE && !v.shadow)
		return SMFIS_CONTINUE;
	return say_verdict(ctx, s, SAY_END, SPAN_EMPTY, &v);
}

/* Of a mail that stores nothing: the last thing before the reply, for what
 * fails behind it was charged. */
static enum reply_id finish_charge(struct session *s)
{
	struct message *m = &s->message;
	struct buf why = BUF_INIT(WHY_MAX);
	enum reply_id id;

	if (m->judged.limits.n == 0)
		return R_NONE;
	m->counted = m->counted || drain_enter();
	if (!m->counted)
		return R_STOPPING;
	id = intake_charge(s->settings, &m->judged, m->octets, &why);
	if (id == R_DELIVER_TEMP)
		log_warn("%s: cannot charge its limits: %s", message_id(m),
			 buf_cstr(&why));
	buf_release(&why);
	return id;
}

static sfsistat finish_reject(SMFICTX *ctx, const struct session *s,
			      enum reply_id id)
{
	const struct verdict v = { .id = id,
				   .predicate = predicate_behind(id) };
	struct span path = SPAN_EMPTY;

	if (intake_full(id) || id == R_DELIVER_FULL)
		path = intake_full_path(&s->message.intake);
	return say_verdict(ctx, s, SAY_END, path, &v);
}

/* What the sender is told of a mailbox that is full now. */
static enum reply_id told(const struct session *s, enum reply_id id)
{
	return id == R_DELIVER_QUOTA && s->message.judged.facts.over_quota_hard
		       ? R_DELIVER_FULL
		       : id;
}

static sfsistat finish_stored(SMFICTX *ctx, struct session *s)
{
	enum reply_id id = told(s, finish_store(s));

	return id == R_NONE ? finish_verdict(ctx, s)
			    : finish_reject(ctx, s, id);
}

static sfsistat finish_relayed(SMFICTX *ctx, struct session *s)
{
	sfsistat verdict;
	enum reply_id id;

	finish_log(s);
	verdict = finish_verdict(ctx, s);
	if (verdict != SMFIS_CONTINUE && verdict != SMFIS_DISCARD)
		return verdict;
	id = finish_charge(s);
	return id == R_NONE ? verdict : finish_reject(ctx, s, id);
}

/* The declared size may have been missing, or wrong. */
static sfsistat finish_size(SMFICTX *ctx, struct session *s)
{
	struct message *m = &s->message;
	struct span path = SPAN_EMPTY;
	struct verdict v;

	judge_end(&s->settings->judge, &s->client, &m->judged, m->octets, &v);
	if (v.id == R_NONE) {
		v.id = told(s, intake_sizes(&m->intake, m->octets, &path));
		v.predicate = predicate_behind(v.id);
	}
	if (v.id == R_NONE && !v.shadow)
		return SMFIS_CONTINUE;
	return say_verdict(ctx, s, SAY_END, path, &v);
}

static sfsistat finish_sized(SMFICTX *ctx, struct session *s)
{
	sfsistat verdict = finish_size(ctx, s);

	if (verdict != SMFIS_CONTINUE)
		return verdict;
	return session_begin_content(s) ? finish_stored(ctx, s)
					: finish_relayed(ctx, s);
}

sfsistat finish_message(SMFICTX *ctx, struct session *s)
{
	int64_t begun = clock_us();
	sfsistat verdict = finish_header(ctx, s);

	if (verdict != SMFIS_CONTINUE)
		return verdict;
	verdict = finish_sized(ctx, s);
	if (FAULT(MILTER_BEFORE_REPLY))
		verdict = mf_reject(ctx, R_DELIVER_TEMP);
	metric_add_time(M_EOM_SECONDS, begun);
	return verdict;
}
