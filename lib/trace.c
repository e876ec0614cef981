/* lib/trace.c: see trace.h. */
#include "lib/trace.h"

/* How much of each value is kept, so that no line is over 998 octets (RFC 5322
 * s.2.1.1) and all of them together fit the column. */
enum {
	KEPT_ADDRESS = 900,
	KEPT_NAME = 255,
	KEPT_LITERAL = 64,
	KEPT_TLS = 128,
	KEPT_WORD = 64
};

/* Octets of the character at the start of s; 0 for a control character and
 * for what is no UTF-8. */
static size_t character_length(struct span s)
{
	unsigned char c = (unsigned char)s.p[0];

	if (c < 0x80)
		return c < 0x20 || c == 0x7f ? 0 : 1;
	if (c == 0xc2 && s.n > 1 && (unsigned char)s.p[1] < 0xa0)
		return 0;
	for (size_t n = 2; n <= 4 && n <= s.n; n++)
		if (span_is_utf8(span_head(s, n)))
			return n;
	return 0;
}

/* Takes one character off s and appends it, or '?' when it may not stand in a
 * header or is one of not_these. */
static void put_character(struct buf *b, struct span *s, const char *not_these)
{
	size_t n = character_length(*s);

	if (n == 0 || strchr(not_these, s->p[0]) != NULL)
		buf_putc(b, '?');
	else
		buf_put(b, s->p, n);
	*s = span_skip(*s, n > 0 ? n : 1);
}

/* One word: nothing in it ends it or opens a comment. */
static void put_word(struct buf *b, struct span s, size_t max)
{
	s = span_head(s, max);
	while (s.n > 0)
		put_character(b, &s, " \"(),;<>\\");
}

/* Inside a comment (RFC 5322 s.3.2.2). */
static void put_comment(struct buf *b, struct span s, size_t max)
{
	s = span_head(s, max);
	while (s.n > 0) {
		if (strchr("()\\", s.p[0]) != NULL && s.p[0] != '\0')
			buf_putc(b, '\\');
		put_character(b, &s, "");
	}
}

/* The rest of a quoted local part, up to and with its closing quote, which it
 * gets if it has none. */
static void put_quoted(struct buf *b, struct span *s)
{
	while (s->n > 0 && s->p[0] != '"') {
		bool pair = s->p[0] == '\\' && s->n > 1;

		put_character(b, s, pair ? "" : "\\");
		if (pair)
			put_character(b, s, "");
	}
	*s = span_skip(*s, 1);
	buf_putc(b, '"');
}

static void put_address(struct buf *b, struct span s, size_t max)
{
	s = span_head(s, max);
	if (s.n > 0 && s.p[0] == '"') {
		buf_putc(b, '"');
		s = span_skip(s, 1);
		put_quoted(b, &s);
	}
	while (s.n > 0)
		put_character(b, &s, " \"(),;<>\\");
}

/* " (name [address])", as much of it as is known. */
static void put_client(struct buf *b, const struct trace_facts *f)
{
	struct span unknown = SPAN_LIT("unknown");
	bool v6 = span_find(f->client_addr, ':') != f->client_addr.n;

	if (f->client_name.n == 0 && f->client_addr.n == 0)
		return;
	buf_puts(b, " (");
	put_comment(b, f->client_name.n ? f->client_name : unknown, KEPT_NAME);
	if (f->client_addr.n > 0) {
		buf_puts(b, " [");
		if (v6 &&
		    !span_starts_nocase(f->client_addr, SPAN_LIT("IPv6:")))
			buf_puts(b, "IPv6:");
		put_word(b, f->client_addr, KEPT_LITERAL);
		buf_putc(b, ']');
	}
	buf_putc(b, ')');
}

static void put_from(struct buf *b, const struct trace_facts *f)
{
	struct span name = f->helo.n > 0 ? f->helo : f->client_name;

	if (name.n == 0 && f->client_addr.n == 0)
		return;
	buf_puts(b, "from ");
	put_word(b, name.n > 0 ? name : SPAN_LIT("unknown"), KEPT_NAME);
	put_client(b, f);
	buf_puts(b, "\r\n\t");
	if (f->tls.n == 0)
		return;
	buf_puts(b, "(using ");
	put_comment(b, f->tls, KEPT_TLS);
	buf_puts(b, ")\r\n\t");
}

static void put_received(struct buf *b, const struct trace_facts *f)
{
	buf_puts(b, "Received: ");
	put_from(b, f);
	buf_puts(b, "by ");
	put_word(b, f->by.n ? f->by : SPAN_LIT("unknown"), KEPT_NAME);
	buf_puts(b, " (Mailrow) with ");
	put_word(b, f->with.n ? f->with : SPAN_LIT("SMTP"), KEPT_WORD);
	if (f->queue_id.n > 0) {
		buf_puts(b, " id ");
		put_word(b, f->queue_id, KEPT_WORD);
	}
	if (f->original.n > 0) {
		buf_puts(b, "\r\n\tfor <");
		put_address(b, f->original, KEPT_ADDRESS);
		buf_putc(b, '>');
	}
	buf_puts(b, "; ");
	trace_put_date(b, f->time);
	buf_puts(b, "\r\n");
}

void trace_put(struct buf *b, const struct trace_facts *f)
{
	buf_puts(b, "Return-Path: <");
	put_address(b, f->sender, KEPT_ADDRESS);
	buf_puts(b, ">\r\nDelivered-To: ");
	put_address(b, f->recipient, ADDR_MAX);
	buf_puts(b, "\r\n");
	if (f->original.n > 0 && !span_eq(f->original, f->recipient)) {
		buf_puts(b, "X-Original-To: ");
		put_address(b, f->original, KEPT_ADDRESS);
		buf_puts(b, "\r\n");
	}
	put_received(b, f);
}

struct date {
	int64_t year;
	int month; /* 0 = January */
	int day;
};

/* Years are counted from 1 March 2000 in cycles of 400, so that the leap day
 * is the last of a year; days are days since 1 January 1970. */
static struct date date_of(int64_t days)
{
	int64_t d = days - 11017;
	int64_t cycle = (d >= 0 ? d : d - 146096) / 146097;
	int64_t in_cycle = d - cycle * 146097;
	int64_t century = in_cycle / 36524 < 3 ? in_cycle / 36524 : 3;
	int64_t in_century = in_cycle - century * 36524;
	int64_t four = in_century / 1461;
	int64_t in_four = in_century - four * 1461;
	int64_t year = in_four / 365 < 3 ? in_four / 365 : 3;
	int64_t in_year = in_four - year * 365;
	int64_t month = (5 * in_year + 2) / 153; /* 0 = March */

	year += 2000 + cycle * 400 + century * 100 + four * 4;
	return (struct date){
		.year = month >= 10 ? year + 1 : year,
		.month = (int)((month + 2) % 12),
		.day = (int)(in_year - (153 * month + 2) / 5 + 1),
	};
}

/* Not gmtime_r(): it looks for the zone files, which a sandboxed process has
 * not, and its names are those of strftime()'s locale. */
void trace_put_date(struct buf *b, int64_t time)
{
	static const char day_name[][4] = { "Thu", "Fri", "Sat", "Sun",
					    "Mon", "Tue", "Wed" };
	static const char month_name[][4] = { "Jan", "Feb", "Mar", "Apr",
					      "May", "Jun", "Jul", "Aug",
					      "Sep", "Oct", "Nov", "Dec" };
	const int64_t last = 253402300799; /* of the year 9999 */
	int64_t t = time < 0 ? 0 : time > last ? last : time;
	int second = (int)(t % 86400);
	struct date d = date_of(t / 86400);

	buf_printf(b, "%s, %02d %s %04d %02d:%02d:%02d +0000",
		   day_name[t / 86400 % 7], d.day, month_name[d.month],
		   (int)d.year, second / 3600, second / 60 % 60, second % 60);
}

/* RFC 3848 and RFC 6531 s.4.3; TLS and AUTH exist in ESMTP only. */
const char *trace_with(bool esmtp, bool tls, bool auth, bool utf8)
{
	static const char *const extended[2][4] = {
		{ "ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA" },
		{ "UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA" },
	};

	if (!esmtp && !tls && !auth && !utf8)
		return "SMTP";
	return extended[utf8][(auth ? 2 : 0) + (tls ? 1 : 0)];
}
