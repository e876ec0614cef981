/* milter/say.c: see say.h. The log lines have the shape of Postfix's own, which
 * log tools and fail2ban filters know. */
#include "milter/say.h"

#include "lib/esc.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "milter/mf.h"

static const char *const steps[] = {
	[SAY_MAIL] = "MAIL", [SAY_RCPT] = "RCPT", [SAY_END] = "END-OF-MESSAGE"
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
		       struct span rcpt, uint64_t shadow)
{
	const char *predicate;
	struct line l;

	line_fill(&l, s, rcpt);
	while ((predicate = policy_shadow_next(&shadow)) != NULL)
		log_info("%s: shadow: %s from %s[%s]: would be rejected by "
			 "'%s'; %s proto=%s helo=<%s>",
			 message_id(&s->message), steps[step], l.name.s,
			 s->addr, predicate, l.envelope, l.proto, l.helo.s);
}

static void log_reject(const struct session *s, enum say_step step,
		       struct span rcpt, const struct verdict *v,
		       struct span text)
{
	const struct reply *r = reply_get(v->id);
	struct esc_text said;
	struct line l;

	line_fill(&l, s, rcpt);
	(void)esc_text(&said, text);
	log_info("%s: milter-reject: %s from %s[%s]: %u %s <%s>: %s; %s "
		 "proto=%s helo=<%s> predicate=%s",
		 message_id(&s->message), steps[step], l.name.s, s->addr,
		 r->smtp, r->enhanced, step == SAY_RCPT ? l.to.s : l.from.s,
		 said.s, l.envelope, l.proto, l.helo.s, v->predicate);
}

sfsistat say_verdict(SMFICTX *ctx, const struct session *s, enum say_step step,
		     struct span rcpt, const struct verdict *v)
{
	const struct message *m = &s->message;
	struct buf text = BUF_INIT(2048);
	struct reply_words words;
	sfsistat answer;

	if (v->shadow)
		log_shadow(s, step, rcpt, v->shadow);
	if (v->id == R_NONE)
		return SMFIS_CONTINUE;
	metric_add_named(M_REJECTED, v->predicate);
	judge_words(&s->client, &m->judged, &words);
	reply_put_text(&text, v->id, &words);
	log_reject(s, step, rcpt, v, buf_span(&text));
	answer = mf_reply(
		ctx, v->id,
		addr_bare(step == SAY_RCPT ? rcpt : span_of(m->sender)),
		buf_span(&text));
	buf_release(&text);
	return answer;
}
