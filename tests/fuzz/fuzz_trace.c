/* tests/fuzz/fuzz_trace.c: whatever peers say, the trace is its four headers,
 * in short lines of UTF-8 without control characters, and fits its column. */
#include "tests/fuzz/fuzz.h"

#include "lib/header.h"
#include "lib/trace.h"

enum { COLUMN = 8192, LINE_OCTETS = 998 };

static void must_be_line(struct span line)
{
	MUST(line.n > 1 && line.n - 1 <= LINE_OCTETS);
	MUST(line.p[line.n - 1] == '\r');
	MUST(span_is_utf8(line));
	for (size_t i = 0; i + 1 < line.n; i++)
		MUST((unsigned char)line.p[i] >= 0x20 ||
		     (i == 0 && line.p[i] == '\t'));
}

/* Takes a header off s, which must have this name; gives its value. */
static struct span take_header(struct span *s, struct span name)
{
	struct span start = *s, line;

	MUST(span_eq(span_head(*s, name.n), name));
	do {
		MUST(span_cut(*s, '\n', &line, s));
		must_be_line(line);
	} while (s->n > 0 && s->p[0] == '\t');
	return span_skip(span_head(start, start.n - s->n), name.n);
}

static struct trace_facts take_facts(struct span *s)
{
	struct trace_facts f;

	f.time = (int64_t)fuzz_number(s);
	f.sender = fuzz_value(s);
	f.recipient = fuzz_value(s);
	f.original = fuzz_value(s);
	f.helo = fuzz_value(s);
	f.client_name = fuzz_value(s);
	f.client_addr = fuzz_value(s);
	f.with = fuzz_value(s);
	f.tls = fuzz_value(s);
	f.queue_id = fuzz_value(s);
	f.by = SPAN_LIT("mx.d.test");
	return f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = fuzz_input(data, size);
	struct buf b = BUF_INIT(COLUMN);
	struct trace_facts f = take_facts(&s);
	struct span rest, value;

	trace_put(&b, &f);
	MUST(buf_ok(&b));
	rest = buf_span(&b);
	value = take_header(&rest, SPAN_LIT("Return-Path: <"));
	MUST(span_eq(span_skip(value, value.n - 3), SPAN_LIT(">\r\n")));
	take_header(&rest, SPAN_LIT("Delivered-To: "));
	if (f.original.n > 0 && !span_eq(f.original, f.recipient))
		take_header(&rest, SPAN_LIT("X-Original-To: "));
	value = take_header(&rest, SPAN_LIT("Received: "));
	MUST(span_eq(header_received_by(value), f.by));
	MUST(rest.n == 0);
	buf_release(&b);
	return 0;
}
