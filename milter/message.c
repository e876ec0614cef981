/* milter/message.c: see message.h. */
#include "milter/message.h"

#include "lib/clock.h"
#include "milter/drain.h"

/* SIZE= is a hint of the client: a number that is none tells nothing. */
static void message_parameter(struct message *m, struct span arg)
{
	m->esmtp = true;
	if (span_eq_nocase(arg, SPAN_LIT("SMTPUTF8")))
		m->utf8 = true;
	if (span_starts_nocase(arg, SPAN_LIT("SIZE=")) &&
	    !span_u64(span_skip(arg, 5), &m->declared))
		m->declared = 0;
}

void message_open(struct message *m, char **argv)
{
	struct span sender = addr_bare(span_of(argv[0]));

	message_reset(m);
	m->open = true;
	m->begun = clock_ms();
	m->sender = strndup(sender.p, sender.n);
	if (!m->sender)
		m->content.failed = R_NO_MEMORY;
	for (size_t i = 1; argv[0] && argv[i]; i++)
		message_parameter(m, span_of(argv[i]));
}

/* NOTIFY=SUCCESS,DELAY */
static bool asks_success(char **argv)
{
	struct span list, word;

	for (size_t i = 1; argv[i]; i++) {
		list = span_of(argv[i]);
		if (!span_starts_nocase(list, SPAN_LIT("NOTIFY=")))
			continue;
		list = span_skip(list, 7);
		while (list.n) {
			(void)span_cut(list, ',', &word, &list);
			if (span_eq_nocase(word, SPAN_LIT("SUCCESS")))
				return true;
		}
	}
	return false;
}

enum reply_id message_add(struct message *m, char **argv, struct judged_rcpt *r)
{
	if (judged_has_full(r) || (asks_success(argv) && !judged_denies(r)))
		judged_keep(r);
	return intake_add(&m->intake, span_of(argv[0]), r);
}

void message_full(struct message *m, const struct conf *c)
{
	for (size_t i = 0; c->list_full_wait == 0 && i < m->intake.nrcpt; i++)
		judged_leave_out_full(&m->intake.rcpt[i].judged);
	intake_keep_full(&m->intake);
}

void message_author(struct message *m, struct span name, struct span value,
		    bool fold_local)
{
	if (!authors_knows(name))
		return;
	if (!m->authors)
		m->authors = calloc(1, sizeof(*m->authors));
	if (m->authors)
		authors_take(m->authors, name, value, fold_local);
	else
		m->authors_lost = true;
}

bool message_is_ours(const struct message *m)
{
	if (m->judged.limits.n > 0 || m->judged.size_max > 0)
		return true;
	for (size_t i = 0; i < m->intake.nrcpt; i++)
		if (m->intake.rcpt[i].judged.n > 0 ||
		    m->intake.rcpt[i].judged.size_max > 0 ||
		    m->intake.rcpt[i].judged.room > 0)
			return true;
	return false;
}

const char *message_id(const struct message *m)
{
	return m->queue_id[0] ? m->queue_id : "NOQUEUE";
}

void message_reset(struct message *m)
{
	struct content content;

	if (m->counted)
		drain_leave();
	intake_reset(&m->intake);
	judge_message_release(&m->judged);
	free(m->sender);
	free(m->authors);
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
