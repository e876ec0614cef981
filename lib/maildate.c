/* lib/maildate.c: see maildate.h. */
#include "lib/maildate.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span take_word(struct span *s)
{
	struct span rest = span_trim(*s);
	size_t n = 0;

	while (n < rest.n && !is_blank(rest.p[n]))
		n++;
	*s = span_skip(rest, n);
	return span_head(rest, n);
}

static bool take_number(struct span s, uint64_t least, uint64_t most,
			int64_t *n_r)
{
	uint64_t n;

	if (s.n == 0 || s.n > 4 || !span_u64(s, &n) || n < least || n > most)
		return false;
	*n_r = (int64_t)n;
	return true;
}

/* 0 = January. */
static bool take_month(struct span s, int64_t *month_r)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	if (s.n != 3)
		return false;
	for (int64_t i = 0; i < 12; i++) {
		if (span_eq_nocase(s, span_make(names + 3 * i, 3))) {
			*month_r = i;
			return true;
		}
	}
	return false;
}

/* "03:46:12", "03:46"; 60 is a leap second. */
static bool take_time(struct span s, int64_t *seconds_r)
{
	struct span hour, minute, second;
	int64_t h, m, sec = 0;

	if (!span_cut(s, ':', &hour, &s))
		return false;
	if (span_cut(s, ':', &minute, &second) &&
	    !take_number(second, 0, 60, &sec))
		return false;
	if (!take_number(hour, 0, 23, &h) || !take_number(minute, 0, 59, &m))
		return false;
	*seconds_r = h * 3600 + m * 60 + sec;
	return true;
}

/* "+0100": seconds east of Greenwich. */
static bool take_zone(struct span s, int64_t *seconds_r)
{
	int64_t h, m;

	if (s.n != 5 || (s.p[0] != '+' && s.p[0] != '-') ||
	    !take_number(span_make(s.p + 1, 2), 0, 99, &h) ||
	    !take_number(span_make(s.p + 3, 2), 0, 59, &m))
		return false;
	*seconds_r = (h * 3600 + m * 60) * (s.p[0] == '-' ? -1 : 1);
	return true;
}

/* Days since 1 January 1970; years begin in March, so that the leap day is the
 * last of one. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month < 2 ? year - 1 : year;
	int64_t m = (month + 10) % 12;

	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day -
	       1 - 719468;
}

bool maildate_parse(struct span s, int64_t *unix_r)
{
	int64_t day, month, year, seconds, zone;
	struct span word = take_word(&s);

	if (word.n > 0 && word.p[word.n - 1] == ',')
		word = take_word(&s);
	if (!take_number(word, 1, 31, &day) ||
	    !take_month(take_word(&s), &month) ||
	    !take_number(take_word(&s), 1900, 9999, &year) ||
	    !take_time(take_word(&s), &seconds) ||
	    !take_zone(take_word(&s), &zone))
		return false;
	s = span_trim(s);
	if (s.n > 0 && s.p[0] != '(')
		return false;
	*unix_r = days_of(year, month, day) * 86400 + seconds - zone;
	return true;
}
