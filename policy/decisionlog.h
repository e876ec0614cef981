/* policy/decisionlog.h: writes decisions to the table decision (sql/decision.h)
 * behind the mail's back: a bounded queue, and one thread with a connection of
 * its own. Nobody waits for either. What the queue cannot take, or an hour's
 * share of decision_rows, is dropped and counted. One for the whole process. */
#ifndef MAILROW_POLICY_DECISIONLOG_H
#define MAILROW_POLICY_DECISIONLOG_H

#include "policy/decisionid.h"
#include "sql/decision.h"

enum {
	DECISIONLOG_QUEUE = 4096,     /* decisions that wait */
	DECISIONLOG_OCTETS = 4 << 20, /* of them all */
	DECISIONLOG_END_MS = 1000
};

/* From now on decisions are written as this configuration says. False: lines
 * in why, and what held before still does. */
bool decisionlog_open(const struct conf *c, enum program self, struct buf *why)
	__attribute__((warn_unused_result));

/* An id for a decision that is made now. */
void decisionlog_id(char id_r[DECISIONID_LENGTH + 1]);

/* Notes a decision if decision_log wants such ones. Its texts are copied, its
 * node is filled in. Before decisionlog_open(): nothing happens. */
void decisionlog_note(const struct conf *c, const struct decision *d);

/* At the end of a program: no more is taken, and what waits is written while
 * DECISIONLOG_END_MS last. What is left is counted and logged. */
void decisionlog_end(void);

#endif
