/* lib/pwcost.c: see pwcost.h. The forms are those of crypt(5). */
#include "lib/pwcost.h"

#include <pthread.h>

enum {
	ROUNDS_MAX = 5000000,
	SUNMD5_ROUNDS_MAX = 1000000, /* a round is a digest and more */
	BCRYPT_LOG2_MAX = 15,
	KIB_MAX = 256 << 10,
	KIB_WRITTEN_MAX = 1 << 20,
	KIB_BIG = 32 << 10,
	LOG2_MAX = 30, /* of anything: no shift beyond it */
	BIG_AT_ONCE = 2
};

static bool skip_text(struct span *s, const char *text)
{
	struct span begin = span_of(text);

	if (!span_eq(span_head(*s, begin.n), begin))
		return false;
	*s = span_skip(*s, begin.n);
	return true;
}

enum pwcost pwcost_of_rounds(uint64_t rounds)
{
	return rounds <= ROUNDS_MAX ? PWCOST_FINE : PWCOST_TOO_MUCH;
}

enum pwcost pwcost_of_memory(uint64_t kib, uint64_t passes)
{
	uint64_t written;

	if (kib > KIB_MAX || __builtin_mul_overflow(kib, passes, &written) ||
	    written > KIB_WRITTEN_MAX)
		return PWCOST_TOO_MUCH;
	return kib > KIB_BIG ? PWCOST_BIG : PWCOST_FINE;
}

/* The number up to the next '$'. One that is beyond 64 bits is too much. */
static enum pwcost rounds_until(struct span s, uint64_t max)
{
	struct span number;
	uint64_t n;

	(void)span_cut(s, '$', &number, &s);
	for (size_t i = 0; i < number.n; i++)
		if (number.p[i] < '0' || number.p[i] > '9')
			return PWCOST_UNKNOWN;
	if (number.n == 0)
		return PWCOST_UNKNOWN;
	return span_u64(number, &n) && n <= max ? PWCOST_FINE : PWCOST_TOO_MUCH;
}

/* crypt(3)'s digits of 64, -1: none. */
static int digit64(char c)
{
	static const char set[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz";
	const char *at = c ? strchr(set, c) : NULL;

	return at ? (int)(at - set) : -1;
}

/* The first digit is the lowest. */
static bool take_number64(struct span *s, size_t digits, uint64_t *n_r)
{
	*n_r = 0;
	for (size_t i = 0; i < digits; i++) {
		int d = i < s->n ? digit64(s->p[i]) : -1;

		if (d < 0)
			return false;
		*n_r |= (uint64_t)d << (6 * i);
	}
	*s = span_skip(*s, digits);
	return true;
}

/* "rounds=1000$" where it is written. */
static enum pwcost cost_of_sha(struct span s)
{
	return skip_text(&s, "rounds=") ? rounds_until(s, ROUNDS_MAX)
					: PWCOST_FINE;
}

static enum pwcost cost_of_sha1(struct span s)
{
	return rounds_until(s, ROUNDS_MAX);
}

/* "$md5$", or "$md5,rounds=1000$". */
static enum pwcost cost_of_sunmd5(struct span s)
{
	return skip_text(&s, ",rounds=") ? rounds_until(s, SUNMD5_ROUNDS_MAX)
					 : PWCOST_FINE;
}

/* Behind "$2": a letter, '$', two digits. */
static enum pwcost cost_of_bcrypt(struct span s)
{
	uint64_t n;

	s = span_skip(s, 1);
	if (!skip_text(&s, "$") || !span_u64(span_head(s, 2), &n))
		return PWCOST_UNKNOWN;
	return n <= BCRYPT_LOG2_MAX ? PWCOST_FINE : PWCOST_TOO_MUCH;
}

/* Of so many times 128 octets. What is begun counts: a pass over next to
 * nothing is one all the same. */
static uint64_t kib_of(uint64_t blocks)
{
	return (blocks + 7) >> 3;
}

/* 128 octets, r times, 2^log2 times. */
static enum pwcost cost_of_blocks(uint64_t log2, uint64_t r, uint64_t passes)
{
	return log2 > LOG2_MAX ? PWCOST_TOO_MUCH
			       : pwcost_of_memory(kib_of(r << log2), passes);
}

/* "CU..../....": log2 of N, r and p. Besides the passes' memory there is what
 * they are made from and into, r times p blocks. */
static enum pwcost cost_of_scrypt(struct span s)
{
	uint64_t log2, r, p;
	enum pwcost blocks, ends;

	if (!take_number64(&s, 1, &log2) || !take_number64(&s, 5, &r) ||
	    !take_number64(&s, 5, &p))
		return PWCOST_UNKNOWN;
	blocks = cost_of_blocks(log2, r, p);
	ends = pwcost_of_memory(kib_of(r * p), 1);
	return ends > blocks ? ends : blocks;
}

/* "j9T$": flavour, log2 of N and r, each less one. What may stand behind them
 * multiplies the cost, and crypt_gensalt(3) never writes it. */
static enum pwcost cost_of_yescrypt(struct span s)
{
	enum { LONG = 48 }; /* digits from here on are the first of several */
	uint64_t flavour, log2, r;

	if (!take_number64(&s, 1, &flavour) || !take_number64(&s, 1, &log2) ||
	    !take_number64(&s, 1, &r) || flavour >= LONG)
		return PWCOST_UNKNOWN;
	if (log2 >= LONG || r >= LONG)
		return PWCOST_TOO_MUCH;
	return skip_text(&s, "$") ? cost_of_blocks(log2 + 1, r + 1, 1)
				  : PWCOST_UNKNOWN;
}

static enum pwcost cost_of_fixed(struct span s)
{
	(void)s;
	return PWCOST_FINE;
}

/* None is the beginning of another. */
static const struct {
	const char *prefix;
	enum pwcost (*cost)(struct span rest);
} methods[] = {
	{ "$1$", cost_of_fixed },     { "$2", cost_of_bcrypt },
	{ "$3$", cost_of_fixed },     { "$5$", cost_of_sha },
	{ "$6$", cost_of_sha },       { "$7$", cost_of_scrypt },
	{ "$gy$", cost_of_yescrypt }, { "$md5", cost_of_sunmd5 },
	{ "$sha1$", cost_of_sha1 },   { "$y$", cost_of_yescrypt },
};

/* Without a '$' it is one of DES, at most 2^24 rounds of it. */
enum pwcost pwcost_of_crypt(struct span setting)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		struct span rest = setting;

		if (skip_text(&rest, methods[i].prefix))
			return methods[i].cost(rest);
	}
	return setting.n > 0 && setting.p[0] == '$' ? PWCOST_UNKNOWN
						    : PWCOST_FINE;
}

static pthread_mutex_t big_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t big_free = PTHREAD_COND_INITIALIZER;
static unsigned big_running;

void pwcost_enter(void)
{
	pthread_mutex_lock(&big_lock);
	while (big_running == BIG_AT_ONCE)
		pthread_cond_wait(&big_free, &big_lock);
	big_running++;
	pthread_mutex_unlock(&big_lock);
}

void pwcost_leave(void)
{
	pthread_mutex_lock(&big_lock);
	big_running--;
	pthread_cond_signal(&big_free);
	pthread_mutex_unlock(&big_lock);
}
