/* sql/upload.h: the content's octets on their way into chunks (deliver.c). */
#ifndef MAILROW_SQL_UPLOAD_H
#define MAILROW_SQL_UPLOAD_H

#include "sql/deliver.h"

/* Room for one chunk, no more than the mail needs. NULL: no memory. */
char *upload_room(const struct deliver_mail *m);

/* Inserts the octets from..to, where from begins a chunk, into the open
 * transaction. DB_DUP: one is there already. */
enum db_result upload_chunks(struct db *db, const struct deliver_mail *m,
			     uint64_t from, uint64_t to, char *room,
			     struct buf *why)
	__attribute__((warn_unused_result));

/* Commits the octets up to to in transactions of their own, beginning at
 * m->uploaded, which moves on. */
enum db_result upload_to(struct db *db, struct deliver_mail *m, uint64_t to,
			 char *room, struct buf *why)
	__attribute__((warn_unused_result));

#endif
