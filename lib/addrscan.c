/* lib/addrscan.c: see addrscan.h. The text goes octet by octet into a run of
 * what addresses are made of; anything else ends the run. */
#include "lib/addrscan.h"

struct scan {
	char run[ADDRSCAN_RUN_MAX];
	size_t n;
	bool at; /* an '@' is in the run, or what looks like one */
	bool too_long;
	bool fold;
	void (*found)(void *arg, const struct addr *a);
	void *arg;
};

static bool is_8bit(char c)
{
	return ((unsigned char)c & 0x80) != 0;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || is_8bit(c);
}

static bool is_run(char c)
{
	return is_alnum(c) ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.@", c) != NULL);
}

static bool is_domain(char c)
{
	return is_alnum(c) || c == '-' || c == '.' || c == '_';
}

/* "bank.example'," is bank.example; empty when there is no dot in it. */
static struct span shown_domain(struct span s)
{
	size_t n = 0;

	while (n < s.n && is_domain(s.p[n]))
		n++;
	s = span_head(s, n);
	while (s.n > 0 && !is_alnum(s.p[s.n - 1]))
		s.n--;
	return span_find(s, '.') < s.n ? s : SPAN_EMPTY;
}

/* 'bob@... is bob. */
static struct span shown_local(struct span s)
{
	while (s.n > 0 && !is_alnum(s.p[0]) && s.p[0] != '_')
		s = span_skip(s, 1);
	return s;
}

static bool tell_parsed(struct scan *k, struct span local, struct span domain)
{
	char text[ADDRSCAN_RUN_MAX + 1];
	struct addr a;

	if (domain.n == 0)
		return true;
	memcpy(text, local.p, local.n);
	text[local.n] = '@';
	memcpy(text + local.n + 1, domain.p, domain.n);
	if (addr_parse(span_make(text, local.n + 1 + domain.n), k->fold, &a) !=
	    ADDR_OK)
		return false;
	k->found(k->arg, &a);
	return true;
}

/* Its end, in whole characters. */
static struct span short_local(struct span s)
{
	if (s.n > ADDR_LOCAL_MAX)
		s = span_skip(s, s.n - ADDR_LOCAL_MAX);
	while (s.n > 0 && span_utf8_length(s) == 0)
		s = span_skip(s, 1);
	return s;
}

static struct span ascii_domain(struct span s)
{
	size_t n = 0;

	while (n < s.n && !is_8bit(s.p[n]))
		n++;
	return shown_domain(span_head(s, n));
}

/* A reader sees whose domain it is, also where it cannot be an address for
 * what stands before or behind, or nothing does. */
static void tell(struct scan *k, struct span local, struct span domain)
{
	local = shown_local(local);
	domain = shown_domain(domain);
	if (local.n == 0)
		local = ADDRSCAN_NAMELESS;
	if (!tell_parsed(k, local, domain))
		(void)tell_parsed(k, short_local(local), ascii_domain(domain));
}

/* "a@b@c" may be a@b and b@c. */
static void tell_all(struct scan *k, struct span rest)
{
	struct span local, domain;
	bool more = span_cut(rest, '@', &local, &rest);

	while (more) {
		more = span_cut(rest, '@', &domain, &rest);
		tell(k, local, domain);
		local = domain;
	}
}

/* What a character of UTF-8 is to a reader. */
enum look { LOOK_ITSELF, LOOK_NOTHING, LOOK_BLANK, LOOK_AT };

struct range {
	const char *first, *last; /* of equal length */
	enum look look;
};

/* Where there are several, the first counts. */
static const struct range ranges[] = {
	{ "\xc2\xad", "\xc2\xad", LOOK_NOTHING }, /* soft hyphen */
	{ "\xc2\x80", "\xc2\xbf", LOOK_BLANK },
	{ "\xe2\x80\x8b", "\xe2\x80\x8f", LOOK_NOTHING }, /* of no width */
	{ "\xe2\x80\xaa", "\xe2\x80\xae", LOOK_NOTHING }, /* direction */
	{ "\xe2\x81\xa0", "\xe2\x81\xaf", LOOK_NOTHING },
	{ "\xe2\x80\x80", "\xe2\x81\xaf", LOOK_BLANK }, /* punctuation */
	{ "\xe2\x86\x90", "\xe2\xaf\xbf", LOOK_BLANK }, /* arrows, signs */
	{ "\xe3\x80\x80", "\xe3\x80\xbf", LOOK_BLANK }, /* of CJK */
	{ "\xef\xb9\xab", "\xef\xb9\xab", LOOK_AT },    /* small */
	{ "\xef\xbb\xbf", "\xef\xbb\xbf", LOOK_NOTHING },
	{ "\xef\xbc\xa0", "\xef\xbc\xa0", LOOK_AT }, /* of full width */
	{ "\xef\xbc\x80", "\xef\xbc\x8f", LOOK_BLANK },
	{ "\xef\xbc\x9a", "\xef\xbc\xa0", LOOK_BLANK },
	{ "\xf0\x9f\x80\x80", "\xf0\x9f\xbf\xbf", LOOK_BLANK }, /* emoji */
};

/* n_r: octets of the character. One of another charset than UTF-8 ends what
 * stands before it. */
static enum look look_at(struct span s, size_t *n_r)
{
	*n_r = span_utf8_length(s);
	if (*n_r == 0) {
		*n_r = 1;
		return LOOK_BLANK;
	}
	for (size_t i = 0; *n_r > 1 && i < sizeof(ranges) / sizeof(*ranges);
	     i++) {
		size_t n = strlen(ranges[i].first);

		if (*n_r == n && memcmp(s.p, ranges[i].first, n) >= 0 &&
		    memcmp(s.p, ranges[i].last, n) <= 0)
			return ranges[i].look;
	}
	return LOOK_ITSELF;
}

/* In its own place: what a reader sees is never longer. */
static void end_run(struct scan *k)
{
	struct span rest = span_make(k->run, k->at ? k->n : 0);
	size_t kept = 0, n;

	while (rest.n > 0) {
		switch (look_at(rest, &n)) {
		case LOOK_ITSELF:
			memmove(k->run + kept, rest.p, n);
			kept += n;
			break;
		case LOOK_AT:
			k->run[kept++] = '@';
			break;
		case LOOK_BLANK:
			tell_all(k, span_make(k->run, kept));
			kept = 0;
			break;
		case LOOK_NOTHING:
			break;
		}
		rest = span_skip(rest, n);
	}
	tell_all(k, span_make(k->run, kept));
	k->n = 0;
	k->at = false;
}

/* What stands too far before an '@' is no part of an address. */
static void make_room(struct scan *k)
{
	if (k->at) {
		k->too_long = true;
		end_run(k);
	} else {
		memmove(k->run, k->run + ADDRSCAN_RUN_MAX / 2,
			ADDRSCAN_RUN_MAX / 2);
		k->n = ADDRSCAN_RUN_MAX / 2;
	}
}

/* One that is three octets long. */
static bool ends_in_at(struct span run)
{
	size_t n;

	return run.n >= 3 && look_at(span_skip(run, run.n - 3), &n) == LOOK_AT;
}

static void scan_octet(struct scan *k, char c)
{
	if (!is_run(c)) {
		end_run(k);
		return;
	}
	if (k->n == ADDRSCAN_RUN_MAX)
		make_room(k);
	k->run[k->n++] = c;
	k->at |= c == '@' || ends_in_at(span_make(k->run, k->n));
}

/* Words of RFC 2047. */

struct word {
	char encoding; /* 'q' or 'b' */
	struct span text;
	size_t n; /* octets of it all */
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* "=?charset?q?text?="; some send blanks in its text, so those are taken. */
static bool take_word(struct span s, struct word *w_r)
{
	struct span head, rest;
	size_t n = 0;

	if (!span_starts_nocase(s, SPAN_LIT("=?")) ||
	    !span_cut(span_skip(s, 2), '?', &head, &rest) || head.n == 0 ||
	    rest.n < 2 || rest.p[1] != '?')
		return false;
	w_r->encoding = lower(rest.p[0]);
	if (w_r->encoding != 'q' && w_r->encoding != 'b')
		return false;
	rest = span_skip(rest, 2);
	while (n < rest.n && rest.p[n] != '?')
		n++;
	if (n + 1 >= rest.n || rest.p[n + 1] != '=')
		return false;
	w_r->text = span_head(rest, n);
	w_r->n = (size_t)(rest.p + n + 2 - s.p);
	return true;
}

static void scan_decoded(struct scan *k, char c)
{
	if (c != '\0')
		scan_octet(k, c);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void scan_q(struct scan *k, struct span s)
{
	while (s.n > 0) {
		char c = s.p[0];
		int high = c == '=' && s.n > 2 ? hex(s.p[1]) : -1;
		int low = high >= 0 ? hex(s.p[2]) : -1;

		if (low >= 0)
			c = (char)(unsigned char)(high * 16 + low);
		scan_decoded(k, low < 0 && c == '_' ? ' ' : c);
		s = span_skip(s, low >= 0 ? 3 : 1);
	}
}

static int base64_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";
	const char *p = c != '\0' ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

/* As kind as clients are: what is no digit is passed over. */
static void scan_b(struct scan *k, struct span s)
{
	unsigned bits = 0, value = 0;

	for (size_t i = 0; i < s.n; i++) {
		int digit = base64_digit(s.p[i]);

		if (digit < 0)
			continue;
		value = (value << 6 | (unsigned)digit) & 0xffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			scan_decoded(k, (char)(unsigned char)(value >> bits));
		}
	}
}

static size_t blanks(struct span s)
{
	size_t n = 0;

	while (n < s.n && memchr(" \t\r\n", s.p[n], 4) != NULL)
		n++;
	return n;
}

/* Blanks between two words are not shown (RFC 2047 s.6.2). */
static struct span scan_word(struct scan *k, struct span s,
			     const struct word *w)
{
	struct word next;
	size_t n;

	if (w->encoding == 'q')
		scan_q(k, w->text);
	else
		scan_b(k, w->text);
	s = span_skip(s, w->n);
	n = blanks(s);
	return take_word(span_skip(s, n), &next) ? span_skip(s, n) : s;
}

/* A backslash is not shown. */
bool addrscan(struct span value, bool fold_local,
	      void (*found)(void *arg, const struct addr *a), void *arg)
{
	struct scan k = {
		.n = 0, .fold = fold_local, .found = found, .arg = arg
	};
	struct word w;

	while (value.n > 0) {
		if (take_word(value, &w)) {
			value = scan_word(&k, value, &w);
			continue;
		}
		if (value.p[0] != '\\')
			scan_octet(&k, value.p[0]);
		value = span_skip(value, 1);
	}
	end_run(&k);
	return !k.too_long;
}
