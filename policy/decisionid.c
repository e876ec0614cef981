/* policy/decisionid.c: see decisionid.h. */
#include "policy/decisionid.h"

enum {
	DIGIT_BITS = 5,
	SECOND_BITS = DECISIONID_LENGTH * DIGIT_BITS - DECISIONID_RANDOM_BITS,
	DAY = 86400
};

/* In the order of ASCII, so that text sorts as the numbers do. */
static const char digits[] = "23456789abcdefghijkmnpqrstuvwxyz";

static const int64_t first_second = 1767225600; /* of 2026 */
static const int64_t period = (int64_t)1 << SECOND_BITS;

void decisionid_encode(int64_t at, uint32_t random,
		       char id_r[DECISIONID_LENGTH + 1])
{
	uint64_t second = (uint64_t)(at - first_second) % (uint64_t)period;
	uint64_t n = second << DECISIONID_RANDOM_BITS |
		     (random & ((1U << DECISIONID_RANDOM_BITS) - 1));

	for (size_t i = DECISIONID_LENGTH; i-- > 0; n >>= DIGIT_BITS)
		id_r[i] = digits[n & ((1U << DIGIT_BITS) - 1)];
	id_r[DECISIONID_LENGTH] = '\0';
}

/* -1: no digit. */
static int digit_value(char c)
{
	for (size_t i = 0; digits[i]; i++)
		if (digits[i] == c)
			return (int)i;
	return -1;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool decisionid_decode(struct span s, int64_t now,
		       char id_r[DECISIONID_LENGTH + 1], int64_t *at_r)
{
	int64_t latest = now - first_second + DAY;
	int64_t n = 0;

	if (s.n != DECISIONID_LENGTH)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int value = digit_value(lower(s.p[i]));

		if (value < 0)
			return false;
		id_r[i] = lower(s.p[i]);
		n = n << DIGIT_BITS | value;
	}
	id_r[DECISIONID_LENGTH] = '\0';
	n >>= DECISIONID_RANDOM_BITS;
	if (n > latest)
		n -= period;
	n += (latest - n) / period * period;
	*at_r = first_second + n;
	return true;
}
