/* policy/intakelog.c: see intakelog.h. */
#include "policy/intakelog.h"

#include "lib/clock.h"
#include "lib/esc.h"
#include "lib/log.h"
#include "lib/metric.h"

enum { LINE_MAX_OCTETS = 4096 };

const char *intake_queue_id(const struct intake_facts *f, char room[64])
{
	struct span id = span_head(f->queue_id, 63);

	if (id.n == 0)
		return "NOQUEUE";
	memcpy(room, id.p, id.n);
	room[id.n] = '\0';
	return room;
}

void intake_log_mail(const struct intake *in, const struct content *c,
		     const struct intake_facts *f)
{
	struct esc_text from;
	char id[64];

	if (c->mail.content)
		metric_add(M_MAIL_OCTETS, spool_size(c->mail.content));
	log_info("%s: from=<%s>, size=%llu, nrcpt=%zu", intake_queue_id(f, id),
		 esc_text(&from, f->sender),
		 (unsigned long long)(c->mail.content
					      ? spool_size(c->mail.content)
					      : 0),
		 in->nrcpt);
}

static void put_sent(const struct intake_box *b, struct buf *out)
{
	metric_add(b->duplicate ? M_MAIL_KNOWN : M_MAIL_STORED, 1);
	buf_puts(out, "dsn=2.0.0, status=sent (");
	if (b->duplicate)
		buf_puts(out, "duplicate, stored before)");
	else
		buf_printf(out, "stored as %llu/%llu)",
			   (unsigned long long)b->mailbox_id,
			   (unsigned long long)b->uid);
}

static void put_failed(const char *status, enum reply_id id, const char *why,
		       struct buf *out)
{
	const struct reply *r = reply_get(id);

	metric_add(span_is(span_of(status), "deferred") ? M_MAIL_DEFERRED
							: M_TARGET_LEFT_OUT,
		   1);
	buf_printf(out, "dsn=%s, status=%s (", r->enhanced, status);
	reply_put_text(out, id, NULL);
	if (*why)
		buf_printf(out, ": %s", why);
	buf_puts(out, ")");
}

static void put_outcome(const struct intake *in, const struct judged_target *t,
			enum reply_id id, struct buf *why, struct buf *out)
{
	const struct intake_box *b = intake_find_box(in, t->box.mailbox_id);

	if (t->kind == JUDGED_LEFT_OUT || t->kind == JUDGED_FULL)
		put_failed(t->kind == JUDGED_FULL ? "deferred"
						  : "undeliverable",
			   t->why.id, t->why.predicate, out);
	else if (id == R_NONE && b)
		put_sent(b, out);
	else
		put_failed("deferred", id, why->n ? buf_cstr(why) : "", out);
}

/* He is the only one who would have it, and nobody is told. */
static void warn_left_out(const struct intake_rcpt *r,
			  const struct judged_target *t, const char *id)
{
	struct esc_text list, member;

	log_warn("%s: <%s> goes without the mail to <%s>, which others have: "
		 "%s is still there after list_full_wait",
		 id, esc_text(&member, addr_span(&t->address)),
		 esc_text(&list, addr_bare(span_of(r->path))),
		 t->why.predicate);
}

/* As Postfix's delivery agents say it. */
static void log_target(const struct intake *in, const struct intake_rcpt *r,
		       const struct judged_target *t,
		       const struct intake_facts *f, enum reply_id id,
		       struct buf *why)
{
	struct span original = addr_bare(span_of(r->path));
	struct span to = addr_span(&t->address);
	double delay = (double)(clock_ms() - f->begun) / 1000;
	struct buf b = BUF_INIT(LINE_MAX_OCTETS);
	char room[64];

	buf_puts(&b, "to=<");
	esc_put(&b, to, ESC_MAX);
	if (!span_eq_nocase(original, to)) {
		buf_puts(&b, ">, orig_to=<");
		esc_put(&b, original, ESC_MAX);
	}
	buf_printf(&b, ">, relay=mailrow, delay=%.2f, ", delay);
	put_outcome(in, t, id, why, &b);
	log_info("%s: %s", intake_queue_id(f, room), buf_cstr(&b));
	buf_release(&b);
	if (id == R_NONE && t->kind == JUDGED_LEFT_OUT &&
	    judge_may_wait(t->why.id))
		warn_left_out(r, t, room);
}

/* Nobody reads it there, so nobody makes room. */
static void log_unmirrored(const struct judged_target *t,
			   const struct intake_facts *f)
{
	struct esc_text to;
	char room[64];

	log_warn("%s: to=<%s>: its mirrored copy is full, the MTA has the "
		 "mail alone",
		 intake_queue_id(f, room),
		 esc_text(&to, addr_span(&t->address)));
}

static void log_one(const struct intake *in, const struct intake_rcpt *r,
		    const struct judged_target *t, const struct intake_facts *f,
		    enum reply_id id, struct buf *why)
{
	if (t->kind == JUDGED_PASS && t->may_pass)
		log_unmirrored(t, f);
	else if (t->kind != JUDGED_FOREIGN && t->kind != JUDGED_PASS)
		log_target(in, r, t, f, id, why);
}

void intake_log(const struct intake *in, size_t first, size_t n,
		const struct intake_facts *f, enum reply_id id, struct buf *why)
{
	for (size_t i = first; i < first + n; i++) {
		const struct intake_rcpt *r = &in->rcpt[i];

		for (size_t k = 0; k < r->judged.n; k++)
			log_one(in, r, &r->judged.target[k], f, id, why);
	}
}
