/* sql/sqlscan.h: reads SQL as far as needed to know where words, quotes and
 * comments are. Pure. */
#ifndef MAILROW_SQL_SQLSCAN_H
#define MAILROW_SQL_SQLSCAN_H

#include "lib/buf.h"

enum sqlscan_kind {
	SQLSCAN_BLANK, /* blanks and line ends */
	SQLSCAN_COMMENT,
	SQLSCAN_CODE_COMMENT, /* one that a server may execute */
	SQLSCAN_QUOTED,       /* '...', "..." or `...` */
	SQLSCAN_WORD,         /* name, keyword, number */
	SQLSCAN_PARAM,        /* :name */
	SQLSCAN_OTHER,        /* one octet */
	SQLSCAN_UNENDED       /* a quote or comment without an end */
};

/* Cuts the first piece off the front of *sql (which is not empty). */
enum sqlscan_kind sqlscan_next(struct span *sql, struct span *piece_r);

/* Takes one SELECT with named parameters; each goes to param(arg, name, line),
 * and becomes ? in out. *line is the line of its beginning, and on a mistake
 * the line of that. NULL when it is right, else the mistake; "" when param
 * returned false (it has said why). */
const char *sqlscan_select(struct span sql, unsigned *line,
			   bool (*param)(void *arg, struct span name,
					 unsigned line),
			   void *arg, struct buf *out);

/* The same for one UPDATE with a WHERE. */
const char *sqlscan_update(struct span sql, unsigned *line,
			   bool (*param)(void *arg, struct span name,
					 unsigned line),
			   void *arg, struct buf *out);

#endif
