/* lib/metric.h: what a daemon has done so far, for mailrow status and mailrow
 * metrics: the rows of metric.def in a file that daemon and tool map. They are
 * for people to look at: what cannot be counted is not, and nothing waits for
 * it. */
#ifndef MAILROW_LIB_METRIC_H
#define MAILROW_LIB_METRIC_H

#include "lib/program.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum metric_id {
#define METRIC(programs, id, kind, family, label, text, help) M_##id,
#include "lib/metric.def"
#undef METRIC
	METRIC_COUNT
};

enum metric_kind {
	METRIC_IS_COUNT,
	METRIC_IS_NAMED,
	METRIC_IS_GAUGE,
	METRIC_IS_SECONDS
};

struct metric {
	enum metric_kind kind;
	unsigned programs; /* PROG_... that count it */
	const char *family, *label, *text, *help;
};
extern const struct metric metrics[METRIC_COUNT];

enum {
	METRIC_NAMES = 96, /* different names of all NAMED rows together */
	METRIC_NAME_MAX = 39,
	METRIC_MINUTES = 5,
	METRIC_BUCKETS = 15
};

/* Upper ends of the buckets, in microseconds; the last takes the rest. */
extern const uint64_t metric_bucket[METRIC_BUCKETS - 1];

/* In a daemon, before it forks and gives up its rights: maps DIR/NAME anew,
 * readable for all; children count too. again: this process has done so before
 * an execve(), and children of then still count; it goes on with their file.
 * Cannot be done: one log line, and counting does nothing. */
void metric_open(const char *dir, const char *name, bool again);

/* In a child that must not touch it: unmaps it. */
void metric_close(void);

/* Thread-safe, each of them, for rows of their kind. */
void metric_add(enum metric_id m, uint64_t n);
void metric_add_named(enum metric_id m, const char *name);
void metric_set(enum metric_id m, uint64_t n);

/* since: of clock_us(). */
void metric_add_time(enum metric_id m, int64_t since);

struct metric_value {
	enum metric_id id;
	char name[METRIC_NAME_MAX + 1]; /* of a NAMED row, else "" */
	uint64_t total;  /* since the daemon's start; of SECONDS the number */
	uint64_t recent; /* in the last METRIC_MINUTES whole minutes */
	uint64_t us;     /* SECONDS: the sum */
	uint64_t bucket[METRIC_BUCKETS]; /* SECONDS: not added up */
};

struct metric_file {
	int64_t opened; /* seconds since the epoch */
	pid_t pid;      /* who opened it */
	size_t n;
	struct metric_value value[METRIC_COUNT + METRIC_NAMES];
};

/* For the tool: what stands in DIR/NAME, in the order of metric.def, names in
 * alphabetical order. NULL, with errno: cannot be read. free() it. */
struct metric_file *metric_read(const char *dir, const char *name)
	__attribute__((warn_unused_result));

#endif
