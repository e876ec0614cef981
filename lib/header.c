/* lib/header.c: see header.h. */
#include "lib/header.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes the line ends off the end of a value: they would end the header. */
static struct span drop_line_ends(struct span s)
{
	while (s.n > 0 && s.p[s.n - 1] == '\n') {
		s.n--;
		if (s.n > 0 && s.p[s.n - 1] == '\r')
			s.n--;
	}
	return s;
}

/* An inner line that begins without a blank is no continuation: it would be
 * a header of its own, or end them all. No MTA hands one over, and if one
 * does, the line gains a TAB. */
void header_put(struct buf *b, struct span name, struct span value)
{
	struct span line, rest = drop_line_ends(value);
	bool more = true;

	buf_put_span(b, name);
	buf_putc(b, ':');
	while (more) {
		more = span_cut(rest, '\n', &line, &rest);
		if (more && line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		buf_put_span(b, line);
		buf_puts(b, "\r\n");
		if (more && !is_blank(rest.n > 0 ? rest.p[0] : '\0'))
			buf_putc(b, '\t');
	}
}

void header_unfold(struct span value, struct buf *out)
{
	struct span s = span_trim(value);

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\r' && s.p[i] != '\n')
			buf_putc(out, s.p[i]);
}

/* Octets of the comment at the start of s, nested ones and quoted pairs
 * included; all of s when it does not end. */
static size_t comment_length(struct span s)
{
	size_t depth = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '(')
			depth++;
		else if (s.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return s.n;
}

static struct span skip_blanks_and_comments(struct span s)
{
	while (s.n > 0) {
		if (s.p[0] == '(')
			s = span_skip(s, comment_length(s));
		else if (is_blank(s.p[0]) || s.p[0] == '\r' || s.p[0] == '\n')
			s = span_skip(s, 1);
		else
			break;
	}
	return s;
}

/* The next word of a Received value; empty at its end or its date. */
static struct span take_word(struct span *s)
{
	struct span rest = skip_blanks_and_comments(*s);
	size_t n = 0;

	while (n < rest.n && memchr(" \t\r\n(;", rest.p[n], 6) == NULL)
		n++;
	*s = span_skip(rest, n);
	return span_head(rest, n);
}

/* Whether a word of RFC 5321 s.4.4 has a value behind it, which may be any
 * word at all: a client may greet as "by". */
static bool has_value(struct span word)
{
	static const char *const words[] = { "from", "by", "via",
					     "with", "id", "for" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (span_eq_nocase(word, span_of(words[i])))
			return true;
	return false;
}

/* The value of one of the words; that of another is passed over. */
static struct span received_value(struct span value, struct span wanted)
{
	struct span word;

	while ((word = take_word(&value)).n > 0) {
		if (span_eq_nocase(word, wanted))
			return take_word(&value);
		if (has_value(word))
			(void)take_word(&value);
	}
	return SPAN_EMPTY;
}

struct span header_received_by(struct span value)
{
	return received_value(value, SPAN_LIT("by"));
}

struct span header_received_id(struct span value)
{
	return received_value(value, SPAN_LIT("id"));
}

struct span header_received_date(struct span value)
{
	while (take_word(&value).n > 0)
		;
	value = skip_blanks_and_comments(value);
	if (value.n == 0 || value.p[0] != ';')
		return SPAN_EMPTY;
	return span_trim(span_skip(value, 1));
}
