/* lib/counter.h: what a daemon has done so far, for mailrow status: named
 * numbers in a file that daemon and tool map. They are for people to look at:
 * what cannot be counted is not, and nothing waits for it. */
#ifndef MAILROW_LIB_COUNTER_H
#define MAILROW_LIB_COUNTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { COUNTER_NAME_MAX = 39, COUNTERS_MAX = 64, COUNTER_MINUTES = 5 };

struct counter_value {
	char name[COUNTER_NAME_MAX + 1];
	uint64_t total;  /* since the daemon's start */
	uint64_t recent; /* in the last COUNTER_MINUTES whole minutes */
};

/* In a daemon, before it forks and gives up its rights: maps DIR/NAME anew,
 * readable for all. children: they count too; otherwise they have no access to
 * it and must not try. Cannot be done: one log line, and counting does
 * nothing. */
void counter_open(const char *dir, const char *name, bool children);

/* Thread-safe. A name beyond COUNTERS_MAX of them is not counted. */
void counter_add(const char *name);

struct counter_file {
	int64_t opened; /* seconds since the epoch */
	pid_t pid;      /* who opened it */
	int n;
	struct counter_value value[COUNTERS_MAX];
};

/* For the tool: what stands in DIR/NAME. False, with errno: cannot be read. */
bool counter_read(const char *dir, const char *name, struct counter_file *f_r)
	__attribute__((warn_unused_result));

#endif
