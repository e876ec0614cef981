/* lib/fault.h: named fault points, compiled out unless --enable-fault-points;
 * fault.def declares them, and whoever names another one does not compile.
 *
 * In a test build the processes of one $MAILROW_FAULT_DIR share the table
 * "points" in it, mapped before anybody is confined or forked: every process
 * counts there what it passes, and tests write orders there. An order is
 * carried out once, by whoever passes last of so many passings, and says
 *	die		SIGKILL to oneself; where that is not allowed, _exit()
 *	stall MS	so many milliseconds
 *	cut		all database connections of the process are shut down at
 *			the socket: their next use fails
 *	fail		the step fails as it can; at a database step its
 *			connection is lost */
#ifndef MAILROW_LIB_FAULT_H
#define MAILROW_LIB_FAULT_H

#include <stdbool.h>
#include <stdint.h>

enum fault_id {
#define FAULT_POINT(id, name, who, can, step) FAULT_##id,
#include "lib/fault.def"
#undef FAULT_POINT
	FAULT_COUNT
};

enum { FAULT_PASSES, FAULT_FAILS };

enum {
#define FAULT_POINT(id, name, who, can, step) FAULT_CAN_##id = FAULT_##can,
#include "lib/fault.def"
#undef FAULT_POINT
};

/* Which process this is; OTHER before fault_i_am(). */
enum fault_who {
	FAULT_BY_OTHER,
	FAULT_BY_MILTER,
	FAULT_BY_LMTPD,
	FAULT_BY_AUTHD,
	FAULT_BY_PARENT,
	FAULT_BY_KEEPER,
	FAULT_BY_SESSION,
	FAULT_BY_TOOL,
	FAULT_WHO
};

#ifdef WITH_FAULT_POINTS

/* One row of the table. Whoever arms it writes order and by, then left. */
struct fault_row {
	char name[40];
	char step[88];
	uint32_t who; /* bits 1 << FAULT_BY_...: who passes it */
	uint32_t can_fail;
	char order[24];
	uint32_t by;           /* bits, 0 = anybody: whose passings count */
	_Atomic uint32_t left; /* passings until it is carried out, 0 = none */
	_Atomic uint64_t passed[FAULT_WHO];
};

/* Maps the table; called by every program first of all, and again by a child
 * that is another one. */
void fault_i_am(enum fault_who who);

/* True: an order says that the step fails. */
bool fault_met(enum fault_id id);

/* The row, or NULL: no such point, or no $MAILROW_FAULT_DIR. */
struct fault_row *fault_row(const char *name);

/* What "cut" shuts down: a connection that was made, and one that is about to
 * be closed. */
void fault_connected(const void *owner, int fd);
void fault_disconnected(const void *owner);

#else

static inline void fault_i_am(enum fault_who who)
{
	(void)who;
}

static inline bool fault_met(enum fault_id id)
{
	(void)id;
	return false;
}

static inline void fault_connected(const void *owner, int fd)
{
	(void)owner;
	(void)fd;
}

static inline void fault_disconnected(const void *owner)
{
	(void)owner;
}

#endif

/* A step that can fail: true if it shall. */
#define FAULT(id)                                                              \
	(sizeof(char[(int)FAULT_CAN_##id == (int)FAULT_FAILS ? 1 : -1]) &&     \
	 fault_met(FAULT_##id))

/* One that cannot. */
#define FAULT_PASS(id)                                                         \
	((void)sizeof(                                                         \
		 char[(int)FAULT_CAN_##id == (int)FAULT_PASSES ? 1 : -1]),     \
	 (void)fault_met(FAULT_##id))

#endif
