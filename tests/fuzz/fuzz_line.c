/* tests/fuzz/fuzz_line.c: lines do not depend on where the stream is cut, and
 * a simpler reader of the whole input finds the same. First octet: size of the
 * array; second: how much is read at a time. */
#include "tests/fuzz/fuzz.h"

#include "lib/line.h"

enum { SIZE_MIN = 3, SIZE_LIMIT = SIZE_MIN + 256 };

static void put_event(struct buf *b, enum line_status s, struct span line)
{
	buf_putc(b, (char)('0' + (int)s));
	if (s == LINE_OK)
		buf_put_span(b, line);
	else
		MUST(line.n == 0);
	buf_putc(b, '\n');
}

static void take_all(struct line_buf *l, struct buf *events)
{
	struct span line;
	enum line_status s;

	while ((s = line_take(l, &line)) != LINE_MORE)
		put_event(events, s, line);
}

static void read_in_steps(struct span s, size_t size, size_t step,
			  struct buf *events)
{
	char array[SIZE_LIMIT];
	struct line_buf l = { .p = array, .size = size };

	while (s.n > 0) {
		struct line_room room = line_room(&l);
		size_t n = step < s.n ? step : s.n;

		MUST(room.n > 0 && room.p + room.n == array + size);
		n = n < room.n ? n : room.n;
		memcpy(room.p, s.p, n);
		line_added(&l, n);
		s = span_skip(s, n);
		take_all(&l, events);
	}
	MUST(line_pending(&l) < size);
	line_wipe(&l);
	MUST(line_pending(&l) == 0);
}

static void read_at_once(struct span s, size_t size, struct buf *events)
{
	struct span line;

	while (span_cut(s, '\n', &line, &s)) {
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n > size - 2)
			put_event(events, LINE_LONG, SPAN_EMPTY);
		else if (span_find(line, '\0') < line.n)
			put_event(events, LINE_NUL, SPAN_EMPTY);
		else
			put_event(events, LINE_OK, line);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf got = BUF_INIT(SIZE_MAX / 2), want = BUF_INIT(SIZE_MAX / 2);
	struct span s = fuzz_input(data, size);
	size_t array = (size_t)SIZE_MIN + fuzz_octet(&s);
	size_t step = 1 + (size_t)fuzz_octet(&s);

	read_in_steps(s, array, step, &got);
	read_at_once(s, array, &want);
	MUST(buf_ok(&got) && buf_ok(&want));
	MUST(span_eq(buf_span(&got), buf_span(&want)));
	buf_release(&got);
	buf_release(&want);
	return 0;
}
