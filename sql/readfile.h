/* sql/readfile.h: one small file, whole. */
#ifndef MAILROW_SQL_READFILE_H
#define MAILROW_SQL_READFILE_H

#include "lib/buf.h"

#include <sys/types.h>

/* Appends the regular file's text to b. False, and errno, when it cannot be
 * read or is larger than b may grow. mode_r may be NULL. */
bool readfile(const char *path, struct buf *b, mode_t *mode_r)
	__attribute__((warn_unused_result));

#endif
