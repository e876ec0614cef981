#include "pop3d/popbox.h"

#include "pop3d/popcmd.h"
#include "pop3d/popstate.h"

enum { LINE_USUAL = 32 }; /* octets */

struct pop_event pop_unknown(struct popstate *s, const struct popcmd_args *a)
{
	(void)s;
	(void)a;
	return pop_err(R_POP_UNKNOWN);
}

struct pop_event pop_noop(struct popstate *s, const struct popcmd_args *a)
{
	(void)s;
	(void)a;
	return pop_event(POP_OK);
}

/* RFC 6856 s.2: mails are served as they are either way, and what we say is
 * ASCII; so all there is to it is to agree. Outlook asks after the login. */
struct pop_event pop_utf8(struct popstate *s, const struct popcmd_args *a)
{
	(void)s;
	(void)a;
	return pop_event(POP_OK);
}

struct pop_event pop_stat(struct popstate *s, const struct popcmd_args *a)
{
	(void)a;
	buf_puts(s->out, "+OK ");
	buf_put_u64(s->out, s->list.live_n);
	buf_putc(s->out, ' ');
	buf_put_u64(s->out, s->list.live_octets);
	buf_puts(s->out, "\r\n");
	return pop_event(POP_DONE);
}

/* "n octets" or "n uidl", of the i-th mail (RFC 1939 s.5, s.7). */
static void put_line(struct popstate *s, enum pop_job kind, size_t i)
{
	buf_put_u64(s->out, i + 1);
	buf_putc(s->out, ' ');
	if (kind == JOB_LIST)
		buf_put_u64(s->out, s->list.mail[i].octets);
	else
		buf_put_span(s->out, poplist_uidl(&s->list, i));
	buf_puts(s->out, "\r\n");
}

/* As much as the output takes. */
struct pop_event popbox_list_go(struct popstate *s)
{
	while (!popstate_out_full(s)) {
		s->at = poplist_next_live(&s->list, s->at);
		if (s->at == s->list.n) {
			buf_puts(s->out, ".\r\n");
			return pop_event(POP_DONE);
		}
		put_line(s, s->job, s->at++);
	}
	return pop_event(POP_WAIT);
}

static struct pop_event list_one(struct popstate *s, enum pop_job kind,
				 struct span number)
{
	enum reply_id why;
	size_t i;

	if (!popstate_message(s, number, &i, &why))
		return pop_err(why);
	buf_puts(s->out, "+OK ");
	put_line(s, kind, i);
	return pop_event(POP_DONE);
}

/* At once, so that what was written is not copied as the output grows. */
static void reserve_lines(struct popstate *s)
{
	size_t most = POPSTATE_OUT_FULL / LINE_USUAL;
	size_t lines = s->list.live_n < most ? s->list.live_n : most;

	(void)buf_reserve(s->out, (lines + 1) * LINE_USUAL);
}

static struct pop_event list(struct popstate *s, enum pop_job kind,
			     const struct popcmd_args *a)
{
	if (a->n == 1)
		return list_one(s, kind, a->arg[0]);
	buf_puts(s->out, "+OK ");
	buf_put_u64(s->out, s->list.live_n);
	buf_puts(s->out,
		 s->list.live_n == 1 ? " message\r\n" : " messages\r\n");
	s->job = kind;
	s->at = 0;
	reserve_lines(s);
	return popbox_list_go(s);
}

struct pop_event pop_list(struct popstate *s, const struct popcmd_args *a)
{
	return list(s, JOB_LIST, a);
}

struct pop_event pop_uidl(struct popstate *s, const struct popcmd_args *a)
{
	return list(s, JOB_UIDL, a);
}

struct pop_event pop_dele(struct popstate *s, const struct popcmd_args *a)
{
	enum reply_id why;
	size_t i;

	if (!popstate_message(s, a->arg[0], &i, &why))
		return pop_err(why);
	poplist_delete(&s->list, i);
	return pop_event(POP_OK);
}

struct pop_event pop_rset(struct popstate *s, const struct popcmd_args *a)
{
	(void)a;
	poplist_undelete_all(&s->list);
	return pop_event(POP_OK);
}

static struct pop_event bye(struct popstate *s)
{
	buf_puts(s->out, "+OK\r\n");
	return pop_end(R_NONE, CHAN_END_QUIT);
}

static bool is_nothing_marked(const struct popstate *s)
{
	return s->list.live_n == s->list.n;
}

/* The UPDATE state is entered by this command alone (RFC 1939 s.6). Who has
 * the mailbox for himself gives it back before the "+OK". */
struct pop_event pop_quit(struct popstate *s, const struct popcmd_args *a)
{
	(void)a;
	if (is_nothing_marked(s) && !s->grant.exclusive)
		return bye(s);
	s->job = JOB_QUIT;
	s->at = 0;
	return popbox_quit_go(s);
}

/* One MOVE frame at a time; a read-ahead still under way comes first, and
 * mails that the client has not got. */
struct pop_event popbox_quit_go(struct popstate *s)
{
	uint64_t uid[CHAN_UIDS_MAX / 4];
	size_t n;

	if (s->all_sent || s->request.n || s->flight == FLIGHT_READ ||
	    s->mail_unsent)
		return pop_event(POP_WAIT);
	n = poplist_take_deleted(&s->list, &s->at, uid,
				 sizeof(uid) / sizeof(*uid));
	s->all_sent = s->at == s->list.n;
	chan_put_move(&s->request, s->all_sent, uid, n);
	if (!buf_ok(&s->request))
		return pop_end(R_POP_QUIT_FAILED, CHAN_END_TROUBLE);
	s->flight = FLIGHT_MOVE;
	return pop_event(POP_WAIT);
}

/* "+OK" follows the commit, never goes before it (RFC 1939 s.6). */
struct pop_event popbox_reply(struct popstate *s, struct chan_reply *r)
{
	if (r->type == CHAN_MOVED && s->all_sent) {
		s->count.dele = r->count;
		return bye(s);
	}
	/* the lease will expire; nothing else was asked */
	if (r->type == CHAN_TEMP && is_nothing_marked(s))
		return bye(s);
	return pop_end(r->type == CHAN_TEMP ? R_POP_QUIT_FAILED : R_POP_TEMP,
		       CHAN_END_TROUBLE);
}
