/* ctl/purge.h: what the verbs that delete mail for good show of their work. */
#ifndef MAILROW_CTL_PURGE_H
#define MAILROW_CTL_PURGE_H

#include "ctl/tool.h"
#include "sql/purge.h"

/* A line that changes, on a terminal only; and a time limit. */
struct progress {
	bool terminal;
	int64_t drawn, deadline;
};

/* seconds 0: no limit. */
void progress_start(struct progress *p, uint64_t seconds);

/* A purge_go_on; arg is a struct progress. */
bool progress_show(void *arg, const char *step, const struct purge_report *r);
void progress_end(const struct progress *p);

/* The summary; an exit code. */
int purge_print(struct tool *t, const struct purge_report *r, bool dry);

#endif
