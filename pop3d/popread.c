#include "pop3d/popread.h"

#include "pop3d/popcmd.h"
#include "pop3d/popstate.h"

enum { BLANK_LINE = 2 }; /* octets */

void popread_init(struct popread *r)
{
	*r = (struct popread){
		.window = 1,
		.cache = BUF_INIT(POPREAD_AHEAD_MAX),
	};
}

void popread_release(struct popread *r)
{
	buf_release(&r->cache);
}

static const struct poplist_mail *mail_of(const struct popstate *s)
{
	return &s->list.mail[s->read.i];
}

/* The answer. "+OK" is said when the mail is known to be there. */
static void begin(struct popstate *s, uint64_t octets)
{
	struct popread *r = &s->read;

	r->begun = true;
	s->mail_unsent = true;
	r->octets = octets;
	r->blank_line = mail_of(s)->octets - octets == BLANK_LINE;
	r->cut = (struct dot_top)DOT_TOP_INIT(r->lines);
	r->stuffer = (struct dot_stuffer)DOT_STUFFER_INIT;
	buf_puts(s->out, "+OK");
	if (!r->top) {
		buf_putc(s->out, ' ');
		buf_put_u64(s->out, octets + (r->blank_line ? BLANK_LINE : 0));
		buf_puts(s->out, " octets");
	}
	buf_puts(s->out, "\r\n");
}

/* Outlook takes a NUL for the end of the mail; the count of octets must stay.
 */
static void replace_nul(struct buf *b, size_t from)
{
	char *p;

	while (from < b->n && (p = memchr(b->p + from, '\0', b->n - from))) {
		*p = '\x80';
		from = (size_t)(p - b->p) + 1;
	}
}

static void put_data(struct popstate *s, struct span data)
{
	struct popread *r = &s->read;
	size_t from = s->out->n;

	r->come += data.n;
	if (r->top) {
		data = span_head(data, dot_top(&r->cut, data));
		s->count.top_octets += data.n;
	} else {
		s->count.retr_octets += data.n;
	}
	dot_stuff(&r->stuffer, data, s->out);
	if (s->rules.replace_nul)
		replace_nul(s->out, from);
}

static bool is_whole(const struct popread *r)
{
	return r->come == r->octets || (r->top && r->cut.done);
}

/* The last dot leaves together with the last data. */
static struct pop_event finish(struct popstate *s)
{
	if (s->read.blank_line)
		dot_stuff(&s->read.stuffer, SPAN_LIT("\r\n"), s->out);
	dot_finish(&s->read.stuffer, s->out);
	s->count.top += s->read.top;
	s->count.retr += !s->read.top;
	s->read.begun = false;
	return pop_event(POP_DONE);
}

/* A client that asks again and again for a mail that is gone would do so for
 * ever. */
static struct pop_event vanished(struct popstate *s)
{
	struct poplist_mail *m = &s->list.mail[s->read.i];

	if (m->gone)
		return pop_end(R_POP_GONE, CHAN_END_ERRORS);
	m->gone = true;
	return pop_err(R_POP_GONE);
}

/* The cache */

static struct span cached(const struct popread *r, const struct popread_mail *m)
{
	return span_head(span_skip(buf_span(&r->cache), m->at), m->n);
}

static const struct popread_mail *find_cached(const struct popread *r,
					      uint64_t uid)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->mail[i].uid == uid)
			return &r->mail[i];
	}
	return NULL;
}

static bool is_enough(const struct popread *r, const struct popread_mail *m)
{
	struct dot_top cut = DOT_TOP_INIT(r->lines);

	if (m->n == m->octets)
		return true;
	if (!r->top)
		return false;
	(void)dot_top(&cut, cached(r, m));
	return cut.done;
}

static void drop_cache(struct popread *r)
{
	buf_release(&r->cache);
	r->n = 0;
}

/* Nobody comes back to a read-ahead whose last mail was taken. */
static struct pop_event answer_cached(struct popstate *s,
				      const struct popread_mail *m)
{
	struct popread *r = &s->read;
	struct pop_event ev;

	begin(s, m->octets);
	put_data(s, cached(r, m));
	ev = finish(s);
	if (m == &r->mail[r->n - 1] && s->flight == FLIGHT_NONE)
		drop_cache(r);
	return ev;
}

/* Asking */

/* How many octets of a mail to ask for first; 0 = all. A header and lines
 * are guessed at, the rest is asked for when the guess was too small. */
static uint64_t first_limit(const struct popread *r, uint64_t octets)
{
	uint64_t limit;

	if (!r->top || __builtin_mul_overflow(r->lines, 128, &limit) ||
	    __builtin_add_overflow(limit, POPREAD_HEADER, &limit) ||
	    limit >= octets)
		return 0;
	return limit;
}

/* Mails that will probably be asked for next, as many as the window says.
 * Returns their octets. */
static size_t add_following(const struct popstate *s, struct chan_read *ask)
{
	const struct popread *r = &s->read;
	uint64_t max = r->top ? POPREAD_HEADER : POPREAD_SMALL;
	uint64_t total = 0;

	for (size_t i = r->i; ask->n < r->window && i < s->list.n;
	     i = poplist_next_live(&s->list, i + 1)) {
		uint64_t octets = s->list.mail[i].octets;

		if (r->top && octets > max)
			octets = max;
		if (octets > max || total + octets > POPREAD_AHEAD_MAX)
			break;
		total += octets;
		ask->uid[ask->n++] = s->list.mail[i].uid;
	}
	return (size_t)total;
}

static struct pop_event send_request(struct popstate *s,
				     const struct chan_read *ask)
{
	chan_put_read(&s->request, ask);
	if (!buf_ok(&s->request))
		return pop_end(R_POP_TEMP, CHAN_END_TROUBLE);
	s->flight = FLIGHT_READ;
	s->read.come_before = s->read.come;
	return pop_event(POP_WAIT);
}

static struct pop_event ask_alone(struct popstate *s)
{
	struct popread *r = &s->read;
	struct chan_read ask = {
		.offset = r->come,
		.limit = first_limit(r, mail_of(s)->octets),
		.n = 1,
		.uid = { mail_of(s)->uid },
	};

	/* each further piece of a TOP is as large as all before it */
	if (r->come && ask.limit < r->come)
		ask.limit = r->come;
	r->mode = READ_STREAM;
	return send_request(s, &ask);
}

static struct pop_event ask(struct popstate *s)
{
	struct popread *r = &s->read;
	struct chan_read a = { .n = 0 };
	size_t total = 0;

	if (!r->alone && (!r->top || r->lines == 0))
		total = add_following(s, &a);
	if (a.n < 2)
		return ask_alone(s);
	drop_cache(r);
	if (!buf_reserve(&r->cache, total))
		return ask_alone(s);
	a.limit = r->top ? POPREAD_HEADER : 0;
	r->mode = READ_AHEAD;
	return send_request(s, &a);
}

struct pop_event popread_go(struct popstate *s)
{
	const struct popread_mail *m;

	if (s->read.begun || popstate_out_full(s))
		return pop_event(POP_WAIT);
	m = find_cached(&s->read, mail_of(s)->uid);
	if (m && is_enough(&s->read, m))
		return answer_cached(s, m);
	if (s->flight != FLIGHT_NONE)
		return pop_event(POP_WAIT);
	return ask(s);
}

/* Each mail in its turn opens the window further. */
static void note_pattern(struct popread *r, const struct poplist *l)
{
	bool in_turn = r->top == r->expected_top &&
		       r->i == poplist_next_live(l, r->expected);

	r->window = in_turn ? r->window * 4 : 1;
	if (r->window > CHAN_READ_MAX)
		r->window = CHAN_READ_MAX;
	r->expected = r->i + 1;
	r->expected_top = r->top;
}

static struct pop_event start(struct popstate *s, struct span number, bool top,
			      uint64_t lines)
{
	struct popread *r = &s->read;
	enum reply_id why;

	if (!popstate_message(s, number, &r->i, &why))
		return pop_err(why);
	if (s->deaf)
		return pop_end(R_NONE, CHAN_END_CLOSED);
	r->top = top;
	r->lines = lines;
	r->alone = false;
	r->begun = false;
	r->come = 0;
	note_pattern(r, &s->list);
	s->job = JOB_READ;
	return popread_go(s);
}

struct pop_event pop_retr(struct popstate *s, const struct popcmd_args *a)
{
	return start(s, a->arg[0], false, 0);
}

/* Without a count the header alone: old clients ask so. */
struct pop_event pop_top(struct popstate *s, const struct popcmd_args *a)
{
	uint64_t lines = 0;

	if (a->n == 2 && !span_u64(a->arg[1], &lines))
		return pop_err(R_POP_SYNTAX);
	return start(s, a->arg[0], true, lines);
}

/* Frames of the read-ahead */

static struct pop_event ahead_mail(struct popstate *s,
				   const struct chan_reply *reply)
{
	struct popread *r = &s->read;

	if (r->n == CHAN_READ_MAX)
		return popstate_trouble(s);
	r->mail[r->n++] = (struct popread_mail){
		.uid = reply->uid,
		.octets = reply->octets,
		.at = r->cache.n,
	};
	return pop_event(POP_WAIT);
}

static struct pop_event ahead_data(struct popstate *s, struct span data)
{
	struct popread *r = &s->read;
	struct popread_mail *m;

	if (r->n == 0)
		return popstate_trouble(s);
	m = &r->mail[r->n - 1];
	if (data.n > m->octets - m->n)
		return popstate_trouble(s);
	buf_put_span(&r->cache, data);
	if (!buf_ok(&r->cache))
		return popstate_trouble(s);
	m->n += data.n;
	return pop_event(POP_WAIT);
}

/* Frames of the command's own mail */

static struct pop_event stream_mail(struct popstate *s,
				    const struct chan_reply *reply)
{
	struct popread *r = &s->read;

	if (reply->uid != mail_of(s)->uid ||
	    (r->begun && reply->octets != r->octets))
		return popstate_trouble(s);
	if (!r->begun)
		begin(s, reply->octets);
	if (!is_whole(r))
		return pop_event(POP_WAIT);
	r->mode = READ_DRAIN;
	return finish(s);
}

static struct pop_event stream_data(struct popstate *s, struct span data)
{
	struct popread *r = &s->read;

	if (!r->begun || data.n > r->octets - r->come)
		return popstate_trouble(s);
	put_data(s, data);
	if (!is_whole(r))
		return pop_event(POP_WAIT);
	r->mode = READ_DRAIN;
	return finish(s);
}

static bool is_none(const struct chan_reply *reply)
{
	return reply->type == CHAN_GONE || reply->type == CHAN_DAMAGED;
}

/* A damaged one stays in the list: its client may want to delete it. */
static struct pop_event stream_none(struct popstate *s,
				    const struct chan_reply *reply)
{
	if (s->read.begun)
		return popstate_trouble(s);
	s->read.mode = READ_DRAIN;
	return reply->type == CHAN_GONE ? vanished(s) : pop_err(R_POP_DAMAGED);
}

/* What is missing of a TOP is asked for; of a RETR nothing may be missing. */
static struct pop_event stream_end(struct popstate *s)
{
	struct popread *r = &s->read;

	if (!r->begun || !r->top || r->come == r->come_before)
		return popstate_trouble(s);
	return ask_alone(s);
}

static struct pop_event flight_end(struct popstate *s)
{
	struct popread *r = &s->read;

	s->flight = FLIGHT_NONE;
	if (r->mode == READ_STREAM)
		return stream_end(s);
	/* a mail that the read-ahead was to bring and did not */
	if (r->mode == READ_AHEAD && s->job == JOB_READ)
		r->alone = true;
	return pop_event(POP_WAIT);
}

/* A cut answer must not look whole: the connection ends without its dot. */
static struct pop_event flight_failed(struct popstate *s)
{
	struct popread *r = &s->read;

	s->flight = FLIGHT_NONE;
	if (s->job != JOB_READ)
		return pop_event(POP_WAIT);
	return r->begun ? popstate_trouble(s) : pop_err(R_POP_TEMP);
}

struct pop_event popread_reply(struct popstate *s, struct chan_reply *r)
{
	enum popread_mode mode = s->read.mode;

	if (r->type == CHAN_TEMP)
		return flight_failed(s);
	if (r->type == CHAN_READ_END)
		return flight_end(s);
	if (r->type != CHAN_MAIL && r->type != CHAN_DATA && !is_none(r))
		return popstate_trouble(s);
	if (mode == READ_DRAIN || (mode == READ_AHEAD && is_none(r)))
		return pop_event(POP_WAIT);
	if (is_none(r))
		return stream_none(s, r);
	if (r->type == CHAN_MAIL)
		return mode == READ_AHEAD ? ahead_mail(s, r)
					  : stream_mail(s, r);
	return mode == READ_AHEAD ? ahead_data(s, r->data)
				  : stream_data(s, r->data);
}
