/* ctl/boxarg.c: see boxarg.h. */
#include "ctl/boxarg.h"

#include <stdio.h>
#include <sysexits.h>

static void take(struct boxarg *b, const struct sqlval *col)
{
	struct span address =
		col[1].type == SQLVAL_BYTES ? col[1].s : SPAN_EMPTY;

	*b = (struct boxarg){ .id = col[0].u,
			      .retired = col[2].u != 0,
			      .messages = col[3].u,
			      .octets = col[4].u };
	address = span_head(address, ADDR_MAX);
	memcpy(b->address, address.p, address.n);
}

static int find(struct tool *t, enum query_id q, struct sqlval value,
		struct boxarg *b_r, bool *got)
{
	const struct sqlval param[] = { value };
	struct sqlval col[5];

	if (db_one(t->db, q, param, col, got) != DB_OK)
		return tool_fail(EX_TEMPFAIL, "the database did not do it: %s",
				 db_why(t->db));
	if (*got)
		take(b_r, col);
	return EX_OK;
}

static int find_address(struct tool *t, const char *text, struct boxarg *b_r)
{
	struct addr a;
	bool got;
	int code;

	if (!tool_address(t, text, &a))
		return EX_DATAERR;
	code = find(t, Q_BOX_OF_ADDRESS, sql_bytes(addr_span(&a)), b_r, &got);
	if (code != EX_OK || got)
		return code;
	code = find(t, Q_BOX_OF_RETIRED, sql_bytes(addr_span(&a)), b_r, &got);
	if (code != EX_OK)
		return code;
	if (got)
		return tool_fail(EX_NOUSER,
				 "the mailbox of '%s' is retired: name it by "
				 "its number (mailrow mailbox list --retired)",
				 a.text);
	return tool_fail(EX_NOUSER, "there is no mailbox '%s'", a.text);
}

int boxarg_find(struct tool *t, const char *text, struct boxarg *b_r)
{
	uint64_t id;
	bool got;
	int code;

	*b_r = (struct boxarg){ .id = 0 };
	if (!span_u64(span_of(text), &id))
		return find_address(t, text, b_r);
	code = find(t, Q_BOX_OF_ID, sql_u64(id), b_r, &got);
	if (code == EX_OK && !got)
		return tool_fail(EX_NOUSER, "there is no mailbox %s", text);
	return code;
}

static bool parse_duration(struct span s, uint64_t *seconds_r)
{
	static const struct {
		char letter;
		uint64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	uint64_t n;

	if (s.n < 2 || !span_u64(span_head(s, s.n - 1), &n) || n > UINT32_MAX)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (units[i].letter == s.p[s.n - 1]) {
			*seconds_r = n * units[i].seconds;
			return true;
		}
	return false;
}

bool boxarg_duration(const char *text, uint64_t *seconds_r)
{
	if (parse_duration(span_of(text), seconds_r))
		return true;
	tool_fail(0, "'%s' is no duration: a number and s, m, h or d", text);
	return false;
}

/* Days since the epoch of a date of the Gregorian calendar. */
static int64_t days(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day -
	       1 - 719468;
}

static bool two_digits(struct span s, char sep, uint64_t most,
		       struct span *rest, uint64_t *n_r)
{
	struct span head;

	(void)span_cut(s, sep, &head, rest);
	return head.n == 2 && span_u64(head, n_r) && *n_r <= most;
}

static bool days_fit(uint64_t year, uint64_t month, uint64_t day)
{
	static const uint8_t most[] = { 31, 29, 31, 30, 31, 30,
					31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month >= 1 && day >= 1 && day <= most[month - 1] &&
	       (month != 2 || day < 29 || leap);
}

static bool parse_date(struct span s, uint64_t *unix_r)
{
	uint64_t year, month, day, hour = 0, minute = 0;
	struct span head, rest;

	(void)span_cut(s, '-', &head, &rest);
	if (head.n != 4 || !span_u64(head, &year) || year < 1971 ||
	    !two_digits(rest, '-', 12, &rest, &month) ||
	    !two_digits(rest, ' ', 31, &rest, &day) ||
	    !days_fit(year, month, day))
		return false;
	if (s.n > 10 &&
	    (!two_digits(rest, ':', 23, &rest, &hour) ||
	     !two_digits(rest, ':', 59, &rest, &minute) || s.n != 16))
		return false;
	*unix_r = (uint64_t)(days((int64_t)year, (int64_t)month, (int64_t)day) *
				     86400 +
			     (int64_t)(hour * 3600 + minute * 60));
	return true;
}

bool boxarg_since(const char *text, uint64_t now, uint64_t *since_r)
{
	uint64_t seconds;

	if (parse_duration(span_of(text), &seconds)) {
		*since_r = seconds < now ? now - seconds : 0;
		return true;
	}
	if (parse_date(span_of(text), since_r))
		return true;
	tool_fail(0,
		  "'%s' is no time: 3h or 2d, or 2026-11-23 or "
		  "'2026-11-23 10:00' (UTC)",
		  text);
	return false;
}
