/* lib/headersplit.c: see headersplit.h. */
#include "lib/headersplit.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The name of a field: printable and without blanks (RFC 5322 s.2.2), but
 * for those before the colon, which are obsolete and in use. */
static bool begins_field(struct span line)
{
	size_t colon = span_find(line, ':');
	struct span name = span_trim(span_head(line, colon));

	if (colon == line.n || name.n == 0 || name.p != line.p)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~')
			return false;
	return true;
}

static bool continues_field(const struct headersplit *h)
{
	return h->field.n > 0 && h->line.n > 0 && is_blank(h->line.p[0]);
}

/* As much of s as there is room for. */
static void keep(struct headersplit *h, struct buf *b, struct span s)
{
	buf_put_span(b, span_head(s, b->max - b->n));
	if (!buf_ok(b))
		h->failed = true;
}

static struct span without_line_end(struct span s)
{
	if (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	if (s.n > 0 && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

static void tell_field(struct headersplit *h, const struct headersplit_to *to)
{
	struct span name, value;

	if (h->field.n == 0)
		return;
	(void)span_cut(without_line_end(buf_span(&h->field)), ':', &name,
		       &value);
	to->field(to->arg, span_trim(name), value);
	buf_reset(&h->field);
}

static void begin_body(struct headersplit *h, const struct headersplit_to *to)
{
	tell_field(h, to);
	h->done = true;
	if (h->line.n)
		to->body(to->arg, buf_span(&h->line));
	headersplit_release(h);
}

/* The line is there, or as much of it as tells what it is. */
static bool is_header(const struct headersplit *h)
{
	return continues_field(h) || begins_field(buf_span(&h->line));
}

static void end_line(struct headersplit *h, const struct headersplit_to *to)
{
	if (span_is(buf_span(&h->line), "\r\n")) {
		h->octets += h->line_octets;
		buf_reset(&h->line);
		begin_body(h, to);
		return;
	}
	if (!is_header(h)) {
		begin_body(h, to);
		return;
	}
	if (!continues_field(h))
		tell_field(h, to);
	keep(h, &h->field, buf_span(&h->line));
	buf_reset(&h->line);
	h->octets += h->line_octets;
	h->line_octets = 0;
}

/* A line that is longer than the room must have shown by then what it is. */
static void take_part(struct headersplit *h, struct span part,
		      const struct headersplit_to *to)
{
	size_t room = h->line.max - h->line.n;

	keep(h, &h->line, part);
	h->line_octets += part.n;
	if (part.n > room && !is_header(h)) {
		begin_body(h, to);
		to->body(to->arg, span_skip(part, room));
		return;
	}
	if (part.p[part.n - 1] == '\n')
		end_line(h, to);
}

void headersplit_feed(struct headersplit *h, struct span piece,
		      const struct headersplit_to *to)
{
	while (!h->done && piece.n > 0) {
		size_t n = span_find(piece, '\n');

		n = n < piece.n ? n + 1 : n;
		take_part(h, span_head(piece, n), to);
		piece = span_skip(piece, n);
	}
	if (piece.n > 0)
		to->body(to->arg, piece);
}

void headersplit_end(struct headersplit *h, const struct headersplit_to *to)
{
	if (h->done)
		return;
	if (h->line.n > 0)
		end_line(h, to);
	if (!h->done)
		begin_body(h, to);
}

void headersplit_release(struct headersplit *h)
{
	buf_release(&h->field);
	buf_release(&h->line);
}
