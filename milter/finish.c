/* milter/finish.c: see finish.h. Nothing here answers success before
 * deliver_commit() has; everything after it that fails is answered 451, since
 * the retry will be known as a duplicate.
 *
 * smfi_progress() is not needed: it would keep the MTA waiting longer than its
 * own timeout for content (Postfix 300 s, Sendmail 5 min), and deliver_timeout
 * cannot be set beyond 240 s. */
#include "milter/finish.h"

#include "lib/clock.h"
#include "lib/esc.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/trace.h"

enum {
	TRACE_MAX = 8192, /* the column */
	SENDER_MAX = 320, /* the column; Return-Path has all of it */
	WHY_MAX = 512,
	LINE_MAX_OCTETS = 4096
};

/* One end of message. */
struct finish {
	struct session *s;
	struct message *m;
	struct deliver_target *target; /* m->ntarget of them */
	struct buf trace;              /* of all targets, one after the other */
	struct buf why;
};

static void put_trace(struct finish *f, const struct message_target *t,
		      int64_t now)
{
	const struct session *s = f->s;
	const struct message *m = f->m;
	const struct trace_facts facts = {
		.sender = span_of(m->sender),
		.recipient = addr_span(&t->mailbox),
		.original = message_path(m->rcpt[t->first].path),
		.helo = span_of(s->helo),
		.client_name = span_of(s->name),
		.client_addr = span_of(s->addr),
		.by = span_of(s->mta),
		.with = span_of(trace_with(m->esmtp, s->tls[0] != '\0',
					   s->client.authenticated, m->utf8)),
		.tls = span_of(s->tls),
		.queue_id = span_of(m->queue_id),
		.time = now,
	};

	trace_put(&f->trace, &facts);
}

/* The traces grow in one buffer, which may move: their places are filled in
 * when all are there. */
static bool make_targets(struct finish *f)
{
	const struct message *m = f->m;
	int64_t now = clock_unix();
	size_t offset = 0;

	f->target = calloc(m->ntarget, sizeof(*f->target));
	if (!f->target)
		return false;
	for (size_t i = 0; i < m->ntarget; i++) {
		put_trace(f, &m->target[i], now);
		f->target[i].mailbox_id = m->target[i].mailbox_id;
		f->target[i].quota = m->target[i].quota;
		f->target[i].trace.n = f->trace.n - offset;
		offset = f->trace.n;
	}
	if (!buf_ok(&f->trace))
		return false;
	offset = 0;
	for (size_t i = 0; i < m->ntarget; i++) {
		f->target[i].trace.p = f->trace.p + offset;
		offset += f->target[i].trace.n;
	}
	return true;
}

/* After the commit, which may have put the targets in another order. */
static const struct deliver_target *result_of(const struct finish *f,
					      const struct message_target *t)
{
	size_t i = 0;

	while (i + 1 < f->m->ntarget &&
	       f->target[i].mailbox_id != t->mailbox_id)
		i++;
	return &f->target[i];
}

static void put_sent(const struct finish *f, const struct message_target *t,
		     struct buf *b)
{
	const struct deliver_target *d = result_of(f, t);

	buf_puts(b, "dsn=2.0.0, status=sent (");
	if (d->duplicate_r)
		buf_puts(b, "duplicate, stored before)");
	else
		buf_printf(b, "stored as %llu/%llu)",
			   (unsigned long long)t->mailbox_id,
			   (unsigned long long)d->uid_r);
}

static void put_deferred(struct finish *f, enum reply_id id, struct buf *b)
{
	const struct reply *r = reply_get(id);

	buf_printf(b, "dsn=%s, status=deferred (%s", r->enhanced, r->text);
	if (f->why.n)
		buf_printf(b, ": %s", buf_cstr(&f->why));
	buf_puts(b, ")");
}

/* As Postfix's delivery agents say it. */
static void log_recipient(struct finish *f, const struct message_rcpt *rcpt,
			  enum reply_id id)
{
	const struct message_target *t = &f->m->target[rcpt->target];
	struct span original = message_path(rcpt->path);
	double delay = (double)(clock_ms() - f->m->begun) / 1000;
	struct buf b = BUF_INIT(LINE_MAX_OCTETS);

	buf_puts(&b, "to=<");
	esc_put(&b, addr_span(&t->mailbox), ESC_MAX);
	if (!span_eq_nocase(original, addr_span(&t->mailbox))) {
		buf_puts(&b, ">, orig_to=<");
		esc_put(&b, original, ESC_MAX);
	}
	buf_printf(&b, ">, relay=mailrow, delay=%.2f, ", delay);
	if (id == R_NONE)
		put_sent(f, t, &b);
	else
		put_deferred(f, id, &b);
	log_info("%s: %s", message_id(f->m), buf_cstr(&b));
	buf_release(&b);
}

static void log_message(struct finish *f, enum reply_id id)
{
	const struct message *m = f->m;
	struct esc_text from;

	log_info("%s: from=<%s>, size=%llu, nrcpt=%zu", message_id(m),
		 esc_text(&from, span_of(m->sender)),
		 (unsigned long long)(m->content.mail.content
					      ? spool_size(
							m->content.mail.content)
					      : 0),
		 m->nrcpt + m->passed);
	for (size_t i = 0; i < m->nrcpt; i++)
		log_recipient(f, &m->rcpt[i], id);
}

static enum reply_id finish_store(struct finish *f)
{
	const struct conf *conf = f->s->settings->conf;
	struct content *c = &f->m->content;

	if (FAULT("milter-eom-begin"))
		return R_DELIVER_TEMP;
	content_finish(c, span_of(f->m->queue_id));
	if (c->failed != R_NONE)
		return c->failed;
	if (!make_targets(f))
		return R_NO_MEMORY;
	c->mail.sender = span_head(span_of(f->m->sender), SENDER_MAX);
	if (FAULT("milter-before-commit"))
		return R_DELIVER_TEMP;
	switch (deliver_commit(f->s->settings->deliver, &c->mail, f->target,
			       f->m->ntarget,
			       deadline_in(conf->deliver_timeout), &f->why)) {
	case DELIVER_OK:
		return FAULT("milter-after-commit") ? R_DELIVER_TEMP : R_NONE;
	case DELIVER_QUOTA:
		return R_DELIVER_QUOTA;
	case DELIVER_TEMP:
		break;
	}
	return R_DELIVER_TEMP;
}

/* libmilter wants char *, which is what argv[0] of RCPT was. */
static bool remove_recipients(SMFICTX *ctx, const struct message *m)
{
	for (size_t i = 0; i < m->nrcpt; i++) {
		if (smfi_delrcpt(ctx, m->rcpt[i].path) == MI_SUCCESS)
			continue;
		log_warn("%s: cannot remove a stored recipient: the MTA does "
			 "not take it",
			 message_id(m));
		return false;
	}
	return true;
}

static sfsistat finish_verdict(SMFICTX *ctx, const struct finish *f)
{
	const struct message *m = f->m;

	if (m->passed == 0 && f->s->settings->conf->discard_when_done)
		return SMFIS_DISCARD;
	if (!remove_recipients(ctx, m))
		return mf_reject(ctx, R_DELIVER_TEMP, SPAN_EMPTY);
	return SMFIS_CONTINUE;
}

sfsistat finish_message(SMFICTX *ctx, struct session *s)
{
	struct finish f = { .s = s,
			    .m = &s->message,
			    .trace = BUF_INIT(0),
			    .why = BUF_INIT(WHY_MAX) };
	enum reply_id id;
	sfsistat verdict;

	if (!session_begin_content(s))
		return SMFIS_CONTINUE;
	f.trace.max = f.m->ntarget * TRACE_MAX;
	id = finish_store(&f);
	log_message(&f, id);
	verdict = id == R_NONE ? finish_verdict(ctx, &f)
			       : mf_reject(ctx, id, SPAN_EMPTY);
	if (FAULT("milter-before-reply"))
		verdict = mf_reject(ctx, R_DELIVER_TEMP, SPAN_EMPTY);
	free(f.target);
	buf_release(&f.trace);
	buf_release(&f.why);
	return verdict;
}
