/* sql/policydata.h: the tables of the policy, read whole, and changed row by
 * row for the tool. */
#ifndef MAILROW_SQL_POLICYDATA_H
#define MAILROW_SQL_POLICYDATA_H

#include "sql/native.h"

enum policydata_table {
	POLICYDATA_GENERATION,
	POLICYDATA_NETWORK,
	POLICYDATA_MODE,
	POLICYDATA_ACCOUNT,
	POLICYDATA_RULE,
	POLICYDATA_GRANT,
	POLICYDATA_LIMIT
};

/* Columns in the order of the table's own, without notes; what is NULL stays
 * so. Numbers: of GENERATION the number itself; of ACCOUNT suspended,
 * expires_at (seconds since the epoch), may_send, may_receive, require_tls,
 * max_size, max_send_size, max_recipients; of LIMIT seconds, messages,
 * recipients, octets. */
enum { POLICYDATA_TEXTS = 4, POLICYDATA_NUMBERS = 8 };
struct policydata_row {
	enum policydata_table table;
	const struct sqlval *text;   /* POLICYDATA_TEXTS */
	const struct sqlval *number; /* POLICYDATA_NUMBERS */
};
typedef void (*policydata_take)(void *arg, const struct policydata_row *row);

/* All rows as they are at one moment: one statement is one read view. */
enum db_result policydata_read(struct db *db, policydata_take take, void *arg)
	__attribute__((warn_unused_result));

/* 0: its row is gone. */
enum db_result policydata_generation(struct db *db, uint64_t *generation_r)
	__attribute__((warn_unused_result));

#endif
