/* lib/line.c: see line.h. */
#include "lib/line.h"

struct line_room line_room(struct line_buf *l)
{
	size_t left = l->end - l->start;

	if (l->start > 0) {
		memmove(l->p, l->p + l->start, left);
		/* half a password may have stood there */
		explicit_bzero(l->p + left, l->start);
		l->end = left;
		l->start = 0;
	}
	return (struct line_room){ l->p + l->end, l->size - l->end };
}

void line_added(struct line_buf *l, size_t n)
{
	size_t room = l->size - l->end;

	l->end += n < room ? n : room;
}

/* The array is full, or the rest of an overlong line: nothing of it is
 * needed again, only its end. */
static void drop_waiting(struct line_buf *l)
{
	l->start = 0;
	l->end = 0;
}

/* No line end is there yet. */
static enum line_status wait_for_end(struct line_buf *l)
{
	if (l->end - l->start == l->size)
		l->skipping = true;
	if (l->skipping)
		drop_waiting(l);
	return LINE_MORE;
}

enum line_status line_take(struct line_buf *l, struct span *line_r)
{
	struct span s = { l->p + l->start, l->end - l->start };
	size_t n = span_find(s, '\n');

	*line_r = SPAN_EMPTY;
	if (n == s.n)
		return wait_for_end(l);
	l->start += n + 1;
	if (l->skipping) {
		l->skipping = false;
		return LINE_LONG;
	}
	if (n > 0 && s.p[n - 1] == '\r')
		n--;
	if (n > l->size - 2)
		return LINE_LONG;
	if (memchr(s.p, '\0', n) != NULL)
		return LINE_NUL;
	*line_r = span_head(s, n);
	return LINE_OK;
}

size_t line_pending(const struct line_buf *l)
{
	return l->end - l->start;
}

void line_wipe(struct line_buf *l)
{
	explicit_bzero(l->p, l->size);
	drop_waiting(l);
	l->skipping = false;
}
