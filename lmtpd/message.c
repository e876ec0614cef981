/* lmtpd/message.c: see message.h. */
#include "lmtpd/message.h"

#include "lib/clock.h"

enum reply_id message_open(struct message *m, const struct lmtp_mail *mail)
{
	struct span sender = addr_bare(mail->path);

	message_reset(m);
	m->begun = clock_ms();
	m->declared = mail->size;
	m->utf8 = mail->utf8;
	m->sender = malloc(sender.n + 1);
	if (!m->sender)
		return R_NO_MEMORY;
	memcpy(m->sender, sender.p, sender.n);
	m->sender[sender.n] = '\0';
	return R_NONE;
}

/* What is for nobody of ours does not begin to fill the store. */
void message_begin(struct message *m, const struct settings *s,
		   bool (*own_host)(void *arg, struct span host), void *arg)
{
	content_begin(&m->content, s->conf, s->deliver, own_host, arg);
	m->content.mail.upload_broken = m->intake.nbox == 0;
}

void message_put(struct message *m, struct span piece, uint64_t octets_max)
{
	m->octets += piece.n;
	if (m->octets > octets_max && m->content.failed == R_NONE)
		m->content.failed = R_LMTP_SIZE;
	content_raw(&m->content, piece);
}

/* The MTA tells its queue id in the Received line that it added. */
void message_end(struct message *m)
{
	struct span id = SPAN_EMPTY;

	content_finish(&m->content, id);
	if (m->content.receipt)
		id = span_head(receipt_queue_id(m->content.receipt),
			       QUEUE_ID_MAX);
	memcpy(m->queue_id, id.p, id.n);
	m->queue_id[id.n] = '\0';
}

void message_reset(struct message *m)
{
	struct content content;

	intake_reset(&m->intake);
	judge_message_release(&m->judged);
	free(m->sender);
	content_reset(&m->content);
	content = m->content;
	memset(m, 0, sizeof(*m));
	m->content = content;
}

void message_release(struct message *m)
{
	message_reset(m);
	content_release(&m->content);
}
