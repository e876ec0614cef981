/* auth/weak.c: what is slow by design is listed; all else is weak. */
#include "auth/weak.h"

static const struct span slow_schemes[] = {
	SPAN_INIT("BLF-CRYPT"),     SPAN_INIT("BCRYPT"),
	SPAN_INIT("SHA256-CRYPT"),  SPAN_INIT("SHA512-CRYPT"),
	SPAN_INIT("ARGON2"),        SPAN_INIT("PBKDF2"),
	SPAN_INIT("SCRAM-SHA-256"),
};

static const struct span slow_methods[] = {
	SPAN_INIT("$y$"),     SPAN_INIT("$gy$"),     SPAN_INIT("$7$"),
	SPAN_INIT("$2"),      SPAN_INIT("$5$"),      SPAN_INIT("$6$"),
	SPAN_INIT("$argon2"), SPAN_INIT("$scrypt$"), SPAN_INIT("$pbkdf2-"),
};

static bool begins_with(struct span s, const struct span *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_starts_nocase(s, list[i]))
			return true;
	return false;
}

#define BEGINS(s, list) begins_with(s, list, sizeof(list) / sizeof(*(list)))

bool weak_hash(struct span stored)
{
	struct span scheme = SPAN_EMPTY, rest = stored;

	if (stored.n > 0 && stored.p[0] == '{')
		(void)span_cut(span_skip(stored, 1), '}', &scheme, &rest);
	if (scheme.n == 0 || span_eq_nocase(scheme, SPAN_LIT("CRYPT")))
		return !BEGINS(rest, slow_methods);
	return !BEGINS(scheme, slow_schemes);
}
