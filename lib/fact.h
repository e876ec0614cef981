/* lib/fact.h: a fact may be unknown because the database does not answer; as
 * one of its values, policy cannot forget it. */
#ifndef MAILROW_LIB_FACT_H
#define MAILROW_LIB_FACT_H

enum fact { F_NO, F_YES, F_TEMP };

#endif
