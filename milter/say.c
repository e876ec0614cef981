/* milter/say.c: see say.h. The log lines have the shape of Postfix's own, which
 * log tools and fail2ban filters know; the decision's id stands behind all that
 * they look for. */
#include "milter/say.h"

#include "lib/esc.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "milter/mf.h"
#include "policy/decisionnote.h"

static const struct {
	const char *name;  /* as Postfix has it */
	const char *stage; /* as in policy/predicate.def */
} steps[] = {
	[SAY_MAIL] = { "MAIL", "mail" },
	[SAY_RCPT] = { "RCPT", "rcpt" },
	[SAY_END] = { "END-OF-MESSAGE", "end" },
};

/* The parts that both kinds of line have. */
struct line {
	struct esc_text name, from, to, helo;
	char envelope[2 * sizeof(struct esc_text) + 16]; /* from, to */
	const char *proto;
};

static void line_fill(struct line *l, const struct session *s, struct span rcpt)
{
	const struct message *m = &s->message;

	(void)esc_text(&l->name, span_of(s->name));
	(void)esc_text(&l->from, span_of(m->sender));
	(void)esc_text(&l->to, addr_bare(rcpt));
	(void)esc_text(&l->helo, span_of(s->helo));
	l->proto = m->esmtp || s->tls[0] ? "ESMTP" : "SMTP";
	(void)snprintf(l->envelope, sizeof(l->envelope),
		       rcpt.n ? "from=<%s> to=<%s>" : "from=<%s>", l->from.s,
		       l->to.s);
}

static void log_shadow(const struct session *s, enum say_step step,
		       struct span rcpt, uint64_t shadow, const char *id)
{
	const char *predicate;
	struct line l;

	line_fill(&l, s, rcpt);
	while ((predicate = policy_shadow_next(&shadow)) != NULL)
		log_info("%s: shadow: %s from %s[%s]: would be rejected by "
			 "'%s'; %s proto=%s helo=<%s> [%s]",
			 message_id(&s->message), steps[step].name, l.name.s,
			 s->addr, predicate, l.envelope, l.proto, l.helo.s, id);
}

static void log_reject(const struct session *s, enum say_step step,
		       struct span rcpt, const struct verdict *v,
		       struct span text, const char *id)
{
	const struct reply *r = reply_get(v->id);
	struct esc_text said;
	struct line l;

	line_fill(&l, s, rcpt);
	(void)esc_text(&said, text);
	log_info("%s: milter-reject: %s from %s[%s]: %u %s <%s>: %s; %s "
		 "proto=%s helo=<%s> predicate=%s [%s]",
		 message_id(&s->message), steps[step].name, l.name.s, s->addr,
		 r->smtp, r->enhanced, rcpt.n ? l.to.s : l.from.s, said.s,
		 l.envelope, l.proto, l.helo.s, v->predicate, id);
}

/* Whom From names, as far as it can be read. */
static void put_from(struct buf *b, const struct authors *a)
{
	for (size_t i = 0; a && i < a->from.n; i++) {
		buf_puts(b, i ? ", " : "");
		buf_put_span(b, addr_span(&a->from.entry[i].addr));
	}
}

/* A MAIL that is merely accepted is no decision of note: its recipients are. */
static void note(const struct session *s, enum say_step step, struct span rcpt,
		 const struct verdict *v, const struct reply_words *words,
		 const char *id)
{
	const struct message *m = &s->message;
	struct buf from = BUF_INIT(ADDRLIST_MAX * (ADDR_MAX + 2));
	struct decision d = {
		.port = s->client.port,
		.size = m->declared,
		.text = { [DECISION_ID] = span_of(id),
			  [DECISION_WAY] =
				  span_of(judge_role_name(s->client.role)),
			  [DECISION_STAGE] = span_of(steps[step].stage),
			  [DECISION_QUEUE_ID] = span_of(m->queue_id),
			  [DECISION_CLIENT] = span_of(s->addr),
			  [DECISION_TLS] = span_of(s->tls),
			  [DECISION_HELO] = span_of(s->helo),
			  [DECISION_LOGIN] = addr_span(&s->client.login),
			  [DECISION_SENDER] = span_of(m->sender),
			  [DECISION_RECIPIENT] = addr_bare(rcpt) },
	};

	if (step == SAY_MAIL && v->id == R_NONE && !v->shadow)
		return;
	if (step == SAY_END)
		put_from(&from, m->authors);
	d.text[DECISION_HEADER_FROM] = buf_span(&from);
	if (v->id == R_FROM_FORGED ||
	    (v->shadow & UINT64_C(1) << P_FROM_FORGED) != 0)
		d.text[DECISION_DOMAIN] = span_of(m->judged.forged);
	decisionnote(s->settings->conf, d, v, words);
	buf_release(&from);
}

static sfsistat reject(SMFICTX *ctx, const struct session *s,
		       enum say_step step, struct span rcpt,
		       const struct verdict *v, const struct reply_words *words,
		       const char *id)
{
	struct span subject = rcpt.n ? rcpt : span_of(s->message.sender);
	struct buf text = BUF_INIT(2048);
	sfsistat answer;

	metric_add_named(M_REJECTED, v->predicate);
	reply_put_text(&text, v->id, words);
	log_reject(s, step, rcpt, v, buf_span(&text), id);
	buf_printf(&text, " [%s]", id);
	answer = mf_reply(ctx, v->id, addr_bare(subject), buf_span(&text));
	buf_release(&text);
	return answer;
}

sfsistat say_verdict(SMFICTX *ctx, const struct session *s, enum say_step step,
		     struct span rcpt, const struct verdict *v)
{
	char id[DECISIONID_LENGTH + 1];
	struct reply_words words;

	decisionlog_id(id);
	judge_words(&s->client, &s->message.judged, &words);
	if (v->shadow)
		log_shadow(s, step, rcpt, v->shadow, id);
	note(s, step, rcpt, v, &words, id);
	if (v->id == R_NONE)
		return SMFIS_CONTINUE;
	return reject(ctx, s, step, rcpt, v, &words, id);
}
