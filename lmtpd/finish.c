/* lmtpd/finish.c: see finish.h. Success is answered after the commit and after
 * the hand-on, never before; what fails later is answered 451, since the retry
 * is known as a duplicate. What would not be known is handed on before. */
#include "lmtpd/finish.h"

#include "lib/clock.h"
#include "lib/esc.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "lib/net.h"
#include "lmtpd/endpoint.h"
#include "lmtpd/forward.h"
#include "lmtpd/rcpt.h"
#include "lmtpd/say.h"
#include "policy/intakelog.h"

enum { WHY_MAX = 512, LINE_MAX_OCTETS = 4096 };

/* What becomes of a recipient. */
struct outcome {
	enum reply_id id;
	bool forwarded;
	char until[LIMITED_TEXT_MAX]; /* for the text of its reply */
};

struct finishing {
	struct session *s;
	struct intake *in;
	struct intake_facts facts;
	struct outcome *outcome; /* one for each recipient */
	int64_t forward_by;
	struct buf why;
};

/* Where the client of the MTA was is not told by LMTP; its own Received line
 * has it. */
static struct intake_facts finish_facts(const struct session *s)
{
	const struct message *m = &s->message;

	return (struct intake_facts){
		.sender = span_of(m->sender),
		.helo = span_of(s->helo),
		.by = span_of(net_hostname(s->settings->conf->hostname)),
		.with = m->utf8 ? "UTF8LMTP" : "LMTP",
		.queue_id = span_of(m->queue_id),
		.begun = m->begun,
	};
}

static bool is_limit(enum reply_id id)
{
	return id == R_LIMIT_IN || id == R_LIMIT_IN_HARD;
}

static enum reply_id store(struct finishing *f, size_t first, size_t n)
{
	enum reply_id id;

	buf_reset(&f->why);
	id = intake_store(f->in, first, n, f->s->settings,
			  &f->s->message.content, &f->facts,
			  &f->s->message.judged, &f->why);
	for (size_t i = first; i < first + n; i++) {
		f->outcome[i].id = id;
		if (is_limit(id))
			memcpy(f->outcome[i].until,
			       f->s->message.judged.limited_text,
			       LIMITED_TEXT_MAX);
	}
	return id;
}

/* How long the MTA has the mail is told by its own Received line. */
static bool has_waited(const struct finishing *f)
{
	const struct receipt *r = f->s->message.content.receipt;
	int64_t wait = f->s->settings->conf->list_full_wait / 1000;
	int64_t since = r ? receipt_queue_time(r) : 0;

	return wait == 0 || (since > 0 && clock_unix() - since >= wait);
}

/* Before the MTA gives up, and tells the sender of it. */
static void leave_out_full(struct finishing *f, size_t first, size_t n)
{
	if (!has_waited(f))
		return;
	for (size_t i = first; i < first + n; i++)
		judged_leave_out_full(&f->in->rcpt[i].judged);
}

/* A mailbox of a list turned out to be full. */
static bool without_full(struct finishing *f, size_t i)
{
	if (!intake_without_full(f->in, i, 1))
		return false;
	leave_out_full(f, i, 1);
	return true;
}

static void log_outcome(struct finishing *f, size_t first, size_t n)
{
	intake_log(f->in, first, n, &f->facts, f->outcome[first].id, &f->why);
}

/* Of a recipient whose mail comes again (a mailbox of a list is full, or the
 * hand-on failed) those who have it must be known. Without a key it is stored
 * for nobody yet. */
static bool must_wait(const struct finishing *f, size_t i)
{
	return !f->s->message.content.mail.has_key &&
	       (judged_has_full(&f->in->rcpt[i].judged) ||
		f->outcome[i].id == R_FORWARD_TEMP);
}

static enum reply_id store_one(struct finishing *f, size_t i)
{
	enum reply_id id;

	do {
		if (!content_renew(&f->s->message.content))
			return R_NO_MEMORY;
		id = store(f, i, 1);
	} while (intake_full(id) && without_full(f, i) && !must_wait(f, i));
	return id;
}

/* Why the mail of a list comes again. */
static enum reply_id waits_for(const struct judged_rcpt *r)
{
	const struct judged_target *t = judged_full(r);

	return t && is_limit(t->why.id) ? R_LIMIT_IN : R_DELIVER_QUOTA;
}

/* One transaction a recipient, each with a content of its own. When one could
 * not be stored now, the next ones could not either. */
static void store_each(struct finishing *f)
{
	enum reply_id id = R_NONE;

	for (size_t i = 0; i < f->in->nrcpt; i++) {
		bool waits = must_wait(f, i);

		if (f->outcome[i].id != R_FORWARD_TEMP)
			f->outcome[i].id =
				waits ? waits_for(&f->in->rcpt[i].judged) : id;
		if (!waits && id == R_NONE) {
			f->outcome[i].id = store_one(f, i);
			if (!intake_full(f->outcome[i].id))
				id = f->outcome[i].id;
		}
		log_outcome(f, i, 1);
	}
}

static void store_all(struct finishing *f)
{
	size_t n = f->in->nrcpt;
	bool waits = false;

	for (size_t i = 0; i < n; i++)
		waits |= must_wait(f, i);
	if (f->s->message.content.failed == R_NONE && waits)
		store_each(f);
	else if (intake_full(store(f, 0, n)) && (n > 1 || without_full(f, 0)))
		store_each(f);
	else
		log_outcome(f, 0, n);
}

/* Two recipients may lead to the same address. */
static bool was_forwarded(const struct finishing *f, size_t rcpt,
			  const struct judged_target *t)
{
	for (size_t i = 0; i < rcpt; i++) {
		const struct judged_rcpt *r = &f->in->rcpt[i].judged;

		for (size_t k = 0; f->outcome[i].forwarded && k < r->n; k++)
			if (rcpt_goes_on(&r->target[k]) &&
			    span_eq(addr_span(&r->target[k].address),
				    addr_span(&t->address)))
				return true;
	}
	return false;
}

static struct forward_list *list_targets(const struct finishing *f, size_t rcpt)
{
	const struct judged_rcpt *r = &f->in->rcpt[rcpt].judged;
	struct forward_list *l = forward_list_new();

	for (size_t k = 0; l && k < r->n; k++)
		if (rcpt_goes_on(&r->target[k]) &&
		    !was_forwarded(f, rcpt, &r->target[k]) &&
		    !forward_list_add(l, &r->target[k].address))
			forward_list_free(&l);
	return l;
}

static bool send_on(struct finishing *f, const struct forward_list *l)
{
	const struct conf *c = f->s->settings->conf;
	const struct forward mail = {
		.url = c->lmtp_forward,
		.hostname = net_hostname(c->hostname),
		.sender = f->s->message.sender,
		.content = f->s->message.content.mail.content,
		.deadline = f->forward_by,
	};
	const char *why;

	if (!lmtp_forward_parse(span_of(c->lmtp_forward), &why)) {
		buf_printf(&f->why, "lmtp_forward: %s", why);
		return false;
	}
	return !FAULT(LMTP_FORWARD) && forward_send(&mail, l, &f->why) &&
	       !FAULT(LMTP_FORWARDED);
}

static void log_forward(struct finishing *f, size_t rcpt,
			const struct judged_target *t)
{
	const struct reply *r = reply_get(f->outcome[rcpt].id);
	struct span path = span_of(f->in->rcpt[rcpt].path);
	struct buf b = BUF_INIT(LINE_MAX_OCTETS);
	char room[64];

	buf_puts(&b, "to=<");
	esc_put(&b, addr_span(&t->address), ESC_MAX);
	buf_puts(&b, ">, orig_to=<");
	esc_put(&b, addr_bare(path), ESC_MAX);
	buf_printf(&b, ">, relay=%s, delay=%.2f, ",
		   f->s->settings->conf->lmtp_forward,
		   (double)(clock_ms() - f->facts.begun) / 1000);
	if (f->outcome[rcpt].forwarded)
		buf_puts(&b, "dsn=2.0.0, status=sent (forwarded)");
	else
		buf_printf(&b, "dsn=%s, status=deferred (%s: %s)", r->enhanced,
			   r->text, buf_cstr(&f->why));
	log_info("%s: %s", intake_queue_id(&f->facts, room), buf_cstr(&b));
	buf_release(&b);
}

static void forward_rcpt(struct finishing *f, size_t rcpt)
{
	const struct judged_rcpt *r = &f->in->rcpt[rcpt].judged;
	struct forward_list *l = list_targets(f, rcpt);
	bool ok = l != NULL;

	buf_reset(&f->why);
	if (l && forward_list_size(l) > 0)
		ok = send_on(f, l);
	forward_list_free(&l);
	f->outcome[rcpt].forwarded = ok;
	if (!ok)
		f->outcome[rcpt].id = R_FORWARD_TEMP;
	for (size_t k = 0; k < r->n; k++)
		if (rcpt_goes_on(&r->target[k]))
			log_forward(f, rcpt, &r->target[k]);
}

static bool has_way_on(const struct judged_rcpt *r)
{
	for (size_t k = 0; k < r->n; k++)
		if (rcpt_goes_on(&r->target[k]))
			return true;
	return false;
}

static void set_forward_by(struct finishing *f)
{
	f->forward_by = deadline_in(f->s->settings->conf->deliver_timeout);
}

/* Without a key every try would store it anew, until it could be handed on:
 * so that comes before. */
static void forward_first(struct finishing *f)
{
	const struct content *c = &f->s->message.content;

	for (size_t i = 0; i < f->in->nrcpt; i++)
		if (c->failed == R_NONE && !c->mail.has_key &&
		    !must_wait(f, i) && has_way_on(&f->in->rcpt[i].judged))
			forward_rcpt(f, i);
}

/* What comes again for a full mailbox is handed on when that is done: the MTA
 * abroad would not know it again. */
static void forward_all(struct finishing *f)
{
	for (size_t i = 0; i < f->in->nrcpt; i++) {
		const struct judged_rcpt *r = &f->in->rcpt[i].judged;

		if (f->outcome[i].id != R_NONE || f->outcome[i].forwarded)
			continue;
		if (judged_has_full(r))
			f->outcome[i].id = waits_for(r);
		else if (has_way_on(r))
			forward_rcpt(f, i);
	}
}

static void put_reply(const struct finishing *f, size_t i, enum reply_id id)
{
	const struct reply_words words = { .until = span_of(
						   f->outcome[i].until) };
	struct span path = span_of(f->in->rcpt[i].path);

	if (id == R_NONE)
		lmtp_put_reply(&f->s->io.out, R_LMTP_STORED, addr_bare(path));
	else
		say_rejected(f->s, SAY_END, path, id, predicate_behind(id),
			     &words);
}

/* In a test build the first reply can be made to leave alone. */
static void put_replies(const struct finishing *f)
{
	bool failed = FAULT(LMTP_BEFORE_REPLY);

	for (size_t i = 0; i < f->in->nrcpt; i++) {
		if (i > 0 && FAULT(LMTP_SPLIT_REPLIES) &&
		    !lmtpio_flush(&f->s->io))
			f->s->ended = true;
		if (i > 0 && FAULT(LMTP_BETWEEN_REPLIES))
			f->s->ended = true;
		put_reply(f, i, failed ? R_DELIVER_TEMP : f->outcome[i].id);
	}
}

/* Without memory for the outcomes there is one for all. */
static enum reply_id refuse_all(struct session *s)
{
	for (size_t i = 0; i < s->message.intake.nrcpt; i++)
		lmtp_put_reply(&s->io.out, R_NO_MEMORY, SPAN_EMPTY);
	return R_NO_MEMORY;
}

enum reply_id finish_message(struct session *s)
{
	struct message *m = &s->message;
	struct finishing f = { .s = s,
			       .in = &m->intake,
			       .why = BUF_INIT(WHY_MAX) };
	int64_t begun = clock_us();
	enum reply_id first;

	if (FAULT(LMTP_DATA_END))
		m->content.failed = R_DELIVER_TEMP;
	message_end(m);
	f.facts = finish_facts(s);
	f.outcome = calloc(m->intake.nrcpt, sizeof(*f.outcome));
	if (!f.outcome)
		return refuse_all(s);
	log_debug("session %lu: its mail is %s", s->id, m->queue_id);
	intake_log_mail(&m->intake, &m->content, &f.facts);
	leave_out_full(&f, 0, f.in->nrcpt);
	set_forward_by(&f);
	forward_first(&f);
	store_all(&f);
	set_forward_by(&f);
	forward_all(&f);
	put_replies(&f);
	FAULT_PASS(LMTP_REPLIED);
	metric_add_time(M_EOM_SECONDS, begun);
	first = f.outcome[0].id;
	free(f.outcome);
	buf_release(&f.why);
	return first;
}
