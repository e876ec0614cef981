/* ctl/ourjudge.h: the daemons' judge, in the tool's process. */
#ifndef MAILROW_CTL_OURJUDGE_H
#define MAILROW_CTL_OURJUDGE_H

#include "ctl/tool.h"
#include "policy/judge.h"

struct ourjudge {
	struct judge judge;
	struct db_target *accounts;
};

/* Connects; an exit code, after a message unless it is EX_OK. Closed in any
 * case. */
int ourjudge_open(struct tool *t, struct ourjudge *o);
void ourjudge_close(struct ourjudge *o);

#endif
