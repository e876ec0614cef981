/* tests/fuzz/fuzz_addrlist.c: whatever it is given, what is told has the shape
 * that the struct promises; and of fields without quotes, comments, groups and
 * 8-bit octets, the same is told as a reader of a few lines tells. The first
 * octet says whether the rest is taken as it is, or as a row of pieces. */
#include "tests/fuzz/fuzz.h"

#include "lib/addrlist.h"

static const char *const pieces[32] = {
	"bob",
	"al@d.test",
	"<",
	">",
	",",
	"@",
	".",
	" ",
	"\"",
	"(",
	")",
	"\\",
	":",
	";",
	"\r\n ",
	"bank.test",
	"<al@d.test>",
	"bob@bank.test",
	"=?utf-8?q?",
	"?=",
	"=40",
	"=?utf-8?b?Ym9iQGJhbmsudGVzdA==?=",
	"[192.0.2.1]",
	"[",
	"\t",
	"\xc3\xb6",
	"\xe2\x80\x8b",
	"\xef\xbc\xa0",
	"\"bob\"",
	"Bob B.",
	"<@x.test:al@d.test>",
	", ",
};

static struct span make_value(struct span input, struct buf *b)
{
	bool raw = (fuzz_octet(&input) & 1) == 0;

	if (raw)
		return input;
	while (input.n > 0)
		buf_puts(b, pieces[fuzz_octet(&input) % 32]);
	return buf_span(b);
}

/* The reader of a few lines: cuts at commas, takes what stands in "<>" if
 * there is any, or all of it. */

static bool naive_octet(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '@' ||
	       c == '.' || c == '-' || c == '<' || c == '>' || c == ',' ||
	       c == ' ';
}

/* Blanks around a '.' or '@' are obsolete, and a '@' before a "<" is none of
 * the grammar's. */
static bool is_naive(struct span s)
{
	bool at = false;

	for (size_t i = 0; i < s.n; i++) {
		char next = i + 1 < s.n ? s.p[i + 1] : ',';

		if (!naive_octet(s.p[i]) ||
		    (s.p[i] == ' ' && (next == '.' || next == '@')) ||
		    ((s.p[i] == '.' || s.p[i] == '@') && next == ' ') ||
		    (s.p[i] == '<' && (at || next == '@' || next == ',')))
			return false;
		at = (at || s.p[i] == '@') && s.p[i] != ',';
	}
	return true;
}

/* False: broken. nothing_r: it names nobody. */
static bool naive_mailbox(struct span s, struct addr *a_r, bool *nothing_r)
{
	size_t open = span_find(s, '<');

	if (open < s.n) {
		if (span_find(span_head(s, open), '>') < open)
			return false;
		s = span_skip(s, open + 1);
		if (s.n == 0 || s.p[s.n - 1] != '>')
			return false;
		s = span_trim(span_head(s, s.n - 1));
	}
	*nothing_r = s.n == 0;
	return s.n == 0 || (span_find(s, '<') == s.n && s.p[0] != '@' &&
			    addr_parse(s, false, a_r) == ADDR_OK);
}

static const struct addrlist_entry *find(const struct addrlist *l,
					 const struct addr *a)
{
	for (size_t i = 0; i < l->n; i++)
		if (span_eq(addr_span(&l->entry[i].addr), addr_span(a)))
			return &l->entry[i];
	return NULL;
}

/* Each mailbox of the naive reader is one; what else there is is shown. */
static void must_be_as_naive(struct span value, const struct addrlist *l)
{
	struct span part, rest = value;
	bool more = true, nothing, fine = true;
	struct addr a;
	size_t seen = 0;
	bool told[ADDRLIST_MAX] = { false };

	while (more && fine) {
		more = span_cut(rest, ',', &part, &rest);
		fine = naive_mailbox(span_trim(part), &a, &nothing);
		if (!fine || nothing)
			continue;
		MUST(find(l, &a) || l->n == ADDRLIST_MAX);
		if (find(l, &a)) {
			MUST(!find(l, &a)->shown);
			told[find(l, &a) - l->entry] = true;
		}
	}
	for (size_t i = 0; i < l->n; i++)
		seen += told[i];
	MUST(!fine || seen == addrlist_mailboxes(l));
	if (l->n < ADDRLIST_MAX)
		MUST(l->broken == !fine);
}

static void must_be_shaped(const struct addrlist *l, bool fold)
{
	struct addr again;

	MUST(l->n <= ADDRLIST_MAX);
	MUST(addrlist_mailboxes(l) <= l->n);
	for (size_t i = 0; i < l->n; i++) {
		const struct addr *a = &l->entry[i].addr;

		MUST(addr_parse(addr_span(a), fold, &again) == ADDR_OK);
		MUST(span_eq(addr_span(a), addr_span(&again)));
		MUST(find(l, a) == &l->entry[i]);
	}
}

/* A mailbox in "<>" behind a quoted name that holds anything. */
static void must_show_the_mailbox(struct span value)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);
	struct addrlist l = { .n = 0 };

	buf_putc(&b, '"');
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '"' || value.p[i] == '\\')
			buf_putc(&b, '\\');
		if ((unsigned char)value.p[i] >= 0x20 && value.p[i] != 0x7f)
			buf_putc(&b, value.p[i]);
	}
	buf_puts(&b, "\" (\"<@x) <al@d.test>");
	MUST(buf_ok(&b));
	addrlist_add(&l, buf_span(&b), false);
	MUST(l.n > 0 && addrlist_mailboxes(&l) == 1 && !l.entry[0].shown);
	MUST(span_is(addr_span(&l.entry[0].addr), "al@d.test"));
	buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);
	struct span value = make_value(fuzz_input(data, size), &b);
	struct addrlist plain = { .n = 0 }, folded = { .n = 0 };

	addrlist_add(&plain, value, false);
	addrlist_add(&folded, value, true);
	MUST(folded.broken == plain.broken || plain.n == ADDRLIST_MAX);
	must_be_shaped(&plain, false);
	must_be_shaped(&folded, true);
	must_show_the_mailbox(value);
	if (is_naive(value))
		must_be_as_naive(value, &plain);
	buf_release(&b);
	return 0;
}
