/* tests/sql/mailing.h: mails to deliver, and the rules that every state of the
 * store must keep. */
#ifndef MAILROW_TESTS_SQL_MAILING_H
#define MAILROW_TESTS_SQL_MAILING_H

#include "sql/deliver.h"

#define MAILING_TRACE "Return-Path: <s@example.org>\r\n"

struct mailing {
	struct deliver_mail m;
	struct spool *spool;
	struct deliver_target t[16];
	size_t n;
	struct charges charges;
	struct buf why;
};

/* A mail of these octets; key NULL: it is never a duplicate. Safe in threads:
 * false instead of a failed assertion. */
bool mailing_make(struct mailing *g, struct span text, const char *key);
void mailing_to(struct mailing *g, uint64_t mailbox_id);
enum deliver_result mailing_send(struct mailing *g, struct pool *p, int ms);
void mailing_release(struct mailing *g);

/* All in one; 0 when it was not stored, else the uid in the first mailbox. */
uint64_t mailing_quick(struct pool *p, uint64_t mailbox_id, const char *text);

/* Counters equal recounts, uids have no gap, every mail has its content and
 * all its chunks, refs are right, nothing is left over but unclaimed. */
void mailing_check_store(unsigned unclaimed);

#endif
