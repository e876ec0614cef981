/* lib/dot.c: see dot.h. */
#include "lib/dot.h"

/* Offset behind the first LF at or after from; s.n when there is none, and
 * then ended_r is false. */
static size_t line_end(struct span s, size_t from, bool *ended_r)
{
	const char *lf =
		from < s.n ? memchr(s.p + from, '\n', s.n - from) : NULL;

	*ended_r = lf != NULL;
	return lf != NULL ? (size_t)(lf - s.p) + 1 : s.n;
}

/* What dot_finish() must know: the two octets that were sent last. */
static void remember_last(struct dot_stuffer *d, struct span s)
{
	if (s.n == 0)
		return;
	d->last[0] = s.n > 1 ? s.p[s.n - 2] : d->last[1];
	d->last[1] = s.p[s.n - 1];
}

/* Lines are only looked at where they begin; what needs no dot is appended
 * in runs as long as possible. */
void dot_stuff(struct dot_stuffer *d, struct span s, struct buf *b)
{
	size_t sent = 0;
	bool ended;

	for (size_t i = 0; i < s.n; d->inside = !ended) {
		if (!d->inside && s.p[i] == '.') {
			buf_put(b, s.p + sent, i - sent);
			buf_putc(b, '.');
			sent = i;
		}
		i = line_end(s, i, &ended);
	}
	buf_put(b, s.p + sent, s.n - sent);
	remember_last(d, s);
}

void dot_finish(struct dot_stuffer *d, struct buf *b)
{
	if (d->last[0] != '\r' || d->last[1] != '\n')
		buf_puts(b, "\r\n");
	buf_puts(b, ".\r\n");
	*d = (struct dot_stuffer)DOT_STUFFER_INIT;
}

static void top_body_begins(struct dot_top *t)
{
	t->body = true;
	t->done = t->lines == 0;
}

/* One step through the header: the octets that begin a line decide whether
 * it is the empty one; of another the rest is skipped at once. */
static size_t top_header_step(struct dot_top *t, struct span s, size_t i)
{
	bool first = t->line_start;

	if (s.p[i] == '\n' && (first || t->cr)) {
		top_body_begins(t);
		return i + 1;
	}
	t->cr = first && s.p[i] == '\r';
	t->line_start = false;
	return t->cr ? i + 1 : line_end(s, i, &t->line_start);
}

static size_t top_body_step(struct dot_top *t, struct span s, size_t i)
{
	bool ended;

	i = line_end(s, i, &ended);
	if (ended && --t->lines == 0)
		t->done = true;
	return i;
}

size_t dot_top(struct dot_top *t, struct span s)
{
	size_t i = 0;

	while (i < s.n && !t->done)
		i = t->body ? top_body_step(t, s, i) : top_header_step(t, s, i);
	return i;
}

void dot_crlf(struct dot_crlf *c, struct span s, struct buf *b)
{
	size_t sent = 0;
	size_t i = 0;
	bool ended;

	for (;;) {
		i = line_end(s, i, &ended);
		if (!ended)
			break;
		if (i > 1 ? s.p[i - 2] == '\r' : c->cr)
			continue;
		buf_put(b, s.p + sent, i - 1 - sent);
		buf_putc(b, '\r');
		sent = i - 1;
	}
	buf_put(b, s.p + sent, s.n - sent);
	if (s.n > 0)
		c->cr = s.p[s.n - 1] == '\r';
}

/* The dot that begins a line was the end, or was stuffed and is dropped. */
static enum dot_place after_dot(char c, struct buf *b)
{
	if (c == '\r')
		return DOT_DOT_CR;
	buf_putc(b, c);
	return DOT_INSIDE;
}

/* Text up to the next CR, which alone can begin a line end. */
static size_t put_run(struct span s, struct buf *b)
{
	size_t n = span_find(s, '\r');

	if (n == s.n) {
		buf_put_span(b, s);
		return n;
	}
	buf_put(b, s.p, n + 1);
	return n + 1;
}

static enum dot_place after_cr(char c, struct buf *b)
{
	buf_putc(b, c);
	return c == '\n' ? DOT_LINE : c == '\r' ? DOT_CR : DOT_INSIDE;
}

size_t dot_unstuff(struct dot_reader *d, struct span s, struct buf *b,
		   bool *end_r)
{
	size_t i = 0;

	*end_r = false;
	while (i < s.n && !*end_r) {
		char c = s.p[i];

		if (d->place == DOT_DOT) {
			d->place = after_dot(c, b);
			i++;
		} else if (d->place == DOT_DOT_CR && c == '\n') {
			*end_r = true;
			i++;
		} else if (d->place == DOT_DOT_CR) {
			buf_putc(b, '\r');
			d->place = DOT_CR;
		} else if (d->place == DOT_CR) {
			d->place = after_cr(c, b);
			i++;
		} else if (d->place == DOT_LINE && c == '.') {
			d->place = DOT_DOT;
			i++;
		} else {
			i += put_run(span_skip(s, i), b);
			d->place = s.p[i - 1] == '\r' ? DOT_CR : DOT_INSIDE;
		}
	}
	return i;
}
