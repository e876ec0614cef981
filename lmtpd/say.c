/* lmtpd/say.c: see say.h. */
#include "lmtpd/say.h"

#include "lib/esc.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "policy/decisionnote.h"

static const struct {
	const char *name;  /* as Postfix has it */
	const char *stage; /* as in policy/predicate.def */
} steps[] = {
	[SAY_RCPT] = { "RCPT", "rcpt" },
	[SAY_END] = { "END-OF-MESSAGE", "end" },
};

static void log_reject(const struct session *s, enum say_step step,
		       struct span path, const struct verdict *v,
		       const struct reply_words *words, const char *id)
{
	const struct reply *r = reply_get(v->id);
	struct esc_text from, to, helo;
	struct buf text = BUF_INIT(1024);

	reply_put_text(&text, v->id, words);
	(void)esc_text(&from, span_of(s->message.sender));
	(void)esc_text(&to, addr_bare(path));
	(void)esc_text(&helo, span_of(s->helo));
	log_info("session %lu: reject: %s: %u %s <%s>: %s; from=<%s> "
		 "to=<%s> proto=LMTP helo=<%s> predicate=%s [%s]",
		 s->id, steps[step].name, r->smtp, r->enhanced, to.s,
		 buf_cstr(&text), from.s, to.s, helo.s, v->predicate, id);
	buf_release(&text);
}

static void note(const struct session *s, enum say_step step, struct span path,
		 const struct verdict *v, const struct reply_words *words,
		 char id_r[DECISIONID_LENGTH + 1])
{
	const struct message *m = &s->message;
	const struct decision d = {
		.size = m->declared,
		.text = { [DECISION_ID] = { id_r, DECISIONID_LENGTH },
			  [DECISION_WAY] = span_of("lmtp"),
			  [DECISION_STAGE] = span_of(steps[step].stage),
			  [DECISION_QUEUE_ID] = span_of(m->queue_id),
			  [DECISION_HELO] = span_of(s->helo),
			  [DECISION_SENDER] = span_of(m->sender),
			  [DECISION_RECIPIENT] = addr_bare(path) },
	};

	decisionlog_id(id_r);
	decisionnote(s->settings->conf, d, v, words);
}

void say_accepted(const struct session *s, struct span path)
{
	const struct verdict v = { R_NONE, "", 0 };
	char id[DECISIONID_LENGTH + 1];

	note(s, SAY_RCPT, path, &v, NULL, id);
}

void say_rejected(struct session *s, enum say_step step, struct span path,
		  enum reply_id id, const char *predicate,
		  const struct reply_words *words)
{
	const struct verdict v = { id, predicate, 0 };
	char decision[DECISIONID_LENGTH + 1];

	note(s, step, path, &v, words, decision);
	log_reject(s, step, path, &v, words, decision);
	metric_add_named(M_REJECTED, predicate);
	lmtp_put_decided(&s->io.out, id, addr_bare(path), words, decision);
}
