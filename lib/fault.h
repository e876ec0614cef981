/* lib/fault.h: named fault points, compiled out unless --enable-fault-points.
 * At each point a test build looks for the file $MAILROW_FAULT_DIR/NAME; if it
 * is there it is removed, and its text says what happens: "die" (SIGKILL to
 * oneself), "stall MILLISECONDS", "fail" (FAULT() is true: the caller behaves
 * as if the step had failed; at database steps the connection is cut). */
#ifndef MAILROW_LIB_FAULT_H
#define MAILROW_LIB_FAULT_H

#include "config.h"

#include <stdbool.h>

#ifdef WITH_FAULT_POINTS
bool fault_point(const char *name);
#define FAULT(name) fault_point(name)
#else
#define FAULT(name) false
#endif

#endif
