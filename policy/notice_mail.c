/* policy/notice_mail.c: see notice_mail.h. */
#include "policy/notice_mail.h"

#include <stdio.h>
#include <sys/random.h>

#include "lib/clock.h"
#include "lib/esc.h"
#include "lib/log.h"
#include "lib/net.h"
#include "policy/intakelog.h"

enum { MAIL_MAX = 8192, WHY_MAX = 512, ID_SIZE = 12 };

struct mailing {
	struct settings *s;
	const struct notice *n;
	const char *host;
	char postmaster[ADDR_MAX + 1]; /* with <> */
	char account[ADDR_MAX + 3];    /* the same; "" for a domain */
	char id[2 * ID_SIZE + 1];
	struct intake intake;
	struct content content;
};

static bool own_host(void *arg, struct span host)
{
	(void)arg;
	(void)host;
	return false;
}

static bool address(struct mailing *m)
{
	const char *subject = m->n->subject;
	size_t at = span_find(span_of(subject), '@');
	uint8_t octet[ID_SIZE];

	m->host = net_hostname(m->s->conf->hostname);
	if (at > 0)
		(void)snprintf(m->account, sizeof(m->account), "<%s>", subject);
	(void)snprintf(m->postmaster, sizeof(m->postmaster),
		       "<postmaster%.300s>", subject + at);
	if (getrandom(octet, sizeof(octet), 0) != (ssize_t)sizeof(octet))
		return false;
	for (size_t i = 0; i < sizeof(octet); i++)
		(void)snprintf(m->id + 2 * i, 3, "%02x", octet[i]);
	return true;
}

static bool write_mail(struct mailing *m)
{
	struct span account = addr_bare(span_of(m->account)),
		    postmaster = addr_bare(span_of(m->postmaster));
	const struct notice_envelope e = {
		.host = span_of(m->host),
		.to = { account.n ? account : postmaster,
			account.n ? postmaster : SPAN_EMPTY },
		.id = span_of(m->id),
		.now = clock_unix(),
	};
	struct buf text = BUF_INIT(MAIL_MAX);

	noticetext_put(&text, m->n, &e);
	content_begin(&m->content, m->s->conf, m->s->deliver, own_host, NULL);
	content_raw(&m->content, buf_span(&text));
	if (!buf_ok(&text))
		m->content.failed = R_NO_MEMORY;
	content_finish(&m->content, SPAN_EMPTY);
	buf_release(&text);
	return m->content.failed == R_NONE;
}

/* Whoever is not stored here is not told. */
static void add_recipient(struct mailing *m, struct judge_message *jm,
			  const char *path)
{
	static const struct judge_client nobody = { .role = JUDGE_STORE };
	const struct settings *s = m->s;
	struct judged_rcpt r;

	judge_rcpt(&s->judge, &nobody, jm, span_of(path),
		   deadline_in(s->conf->lookup_timeout), &r);
	if (r.verdict.id != R_NONE || r.n == 0)
		judged_release(&r);
	else
		(void)intake_add(&m->intake, span_of(path), &r);
}

static void add_recipients(struct mailing *m)
{
	static const struct judge_client nobody = { .role = JUDGE_STORE };
	const struct settings *s = m->s;
	struct judge_message jm;
	struct verdict v;

	judge_mail(&s->judge, &nobody, SPAN_EMPTY,
		   spool_size(m->content.mail.content),
		   deadline_in(s->conf->lookup_timeout), &jm, &v);
	jm.unlimited = true;
	if (m->account[0])
		add_recipient(m, &jm, m->account);
	add_recipient(m, &jm, m->postmaster);
	judge_message_release(&jm);
}

static void store(struct mailing *m)
{
	const struct intake_facts facts = { .sender = SPAN_EMPTY,
					    .by = span_of(m->host),
					    .with = "local",
					    .begun = clock_ms() };
	struct intake *in = &m->intake;
	struct buf why = BUF_INIT(WHY_MAX);
	enum reply_id id = intake_store(in, 0, in->nrcpt, m->s, &m->content,
					&facts, NULL, &why);

	intake_log_mail(in, &m->content, &facts);
	intake_log(in, 0, in->nrcpt, &facts, id, &why);
	buf_release(&why);
}

static void log_notice(const struct mailing *m)
{
	struct esc_text subject;

	log_info("limit of %s: %s, direction=%s, seconds=%u%s",
		 esc_text(&subject, span_of(m->n->subject)),
		 m->n->full ? "reached" : "nearly reached",
		 limit_direction_name(m->n->direction), m->n->seconds,
		 m->intake.nbox ? "" : "; nobody of ours to be told by mail");
}

void notice_mail(struct settings *s, const struct notice *n)
{
	struct mailing m = { .s = s, .n = n };

	if (address(&m) && write_mail(&m)) {
		add_recipients(&m);
		log_notice(&m);
		if (m.intake.nbox > 0)
			store(&m);
	} else {
		log_warn("cannot write of a limit: out of memory");
	}
	intake_reset(&m.intake);
	content_release(&m.content);
}
