/* lib/fact.h: a fact may be unknown because the database does not answer; as
 * one of its values, policy cannot forget it. */
#ifndef MAILROW_LIB_FACT_H
#define MAILROW_LIB_FACT_H

#include <stdbool.h>

enum fact { F_NO, F_YES, F_TEMP };

static inline enum fact fact_of(bool b)
{
	return b ? F_YES : F_NO;
}

static inline enum fact fact_not(enum fact a)
{
	return a == F_TEMP ? F_TEMP : fact_of(a == F_NO);
}

/* What is false whatever the unknown one may be is false. */
static inline enum fact fact_and(enum fact a, enum fact b)
{
	if (a == F_NO || b == F_NO)
		return F_NO;
	return a == F_TEMP ? F_TEMP : b;
}

static inline enum fact fact_or(enum fact a, enum fact b)
{
	return fact_not(fact_and(fact_not(a), fact_not(b)));
}

#endif
