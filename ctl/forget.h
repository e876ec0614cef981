/* ctl/forget.h: what mailrow account delete and mailrow domain delete share. */
#ifndef MAILROW_CTL_FORGET_H
#define MAILROW_CTL_FORGET_H

#include "ctl/tool.h"

/* Runs forget() (sql/forget.h), with t->db connected, and lists what went with
 * the name. The exit code. */
int forget_print(struct tool *t,
		 enum native_result (*forget)(struct db *, struct span,
					      native_row, void *),
		 struct span name);

#endif
