/* milter/message.c: see message.h. */
#include "milter/message.h"

#include "lib/clock.h"
#include "milter/drain.h"

struct span message_path(const char *path)
{
	struct span s = span_of(path);

	if (s.n && s.p[0] == '<')
		s = span_skip(s, 1);
	if (s.n && s.p[s.n - 1] == '>')
		s.n--;
	return s;
}

static char *dup_span(struct span s)
{
	char *p = malloc(s.n + 1);

	if (!p)
		return NULL;
	memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

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
	message_reset(m);
	m->open = true;
	m->begun = clock_ms();
	m->sender = dup_span(message_path(argv[0]));
	if (!m->sender)
		m->content.failed = R_NO_MEMORY;
	for (size_t i = 1; argv[0] && argv[i]; i++)
		message_parameter(m, span_of(argv[i]));
}

/* Room for one more element; doubles. NULL: no memory. */
static void *grow(void *p, size_t n, size_t *size, size_t element)
{
	size_t more = *size ? *size * 2 : 4;

	if (n < *size)
		return p;
	p = reallocarray(p, more, element);
	if (p)
		*size = more;
	return p;
}

static bool message_find_target(const struct message *m, uint64_t mailbox_id,
				size_t *i_r)
{
	for (size_t i = 0; i < m->ntarget; i++) {
		if (m->target[i].mailbox_id == mailbox_id) {
			*i_r = i;
			return true;
		}
	}
	return false;
}

static bool message_add_target(struct message *m, const struct judged_rcpt *r,
			       size_t *i_r)
{
	struct message_target *t;

	if (message_find_target(m, r->mailbox_id, i_r))
		return true;
	t = grow(m->target, m->ntarget, &m->target_size, sizeof(*t));
	if (!t)
		return false;
	m->target = t;
	*i_r = m->ntarget++;
	t[*i_r] = (struct message_target){ .mailbox = r->mailbox,
					   .mailbox_id = r->mailbox_id,
					   .quota = r->quota,
					   .first = m->nrcpt };
	return true;
}

enum reply_id message_add(struct message *m, const char *path,
			  const struct judged_rcpt *r)
{
	struct message_rcpt *all;
	char *copy;

	if (!r->store) {
		m->passed++;
		return R_NONE;
	}
	if (m->nrcpt >= RECIPIENTS_MAX)
		return R_RCPT_TOO_MANY;
	all = grow(m->rcpt, m->nrcpt, &m->rcpt_size, sizeof(*all));
	if (!all)
		return R_NO_MEMORY;
	m->rcpt = all;
	copy = dup_span(span_of(path));
	if (!copy || !message_add_target(m, r, &all[m->nrcpt].target)) {
		free(copy);
		return R_NO_MEMORY;
	}
	all[m->nrcpt++].path = copy;
	return R_NONE;
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
	for (size_t i = 0; i < m->nrcpt; i++)
		free(m->rcpt[i].path);
	free(m->rcpt);
	free(m->target);
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
