/* pop3d/probe.h: in a test build, what code that has taken a session over would
 * try. A line "XPROBE WHAT ARGUMENTS" of the client is carried out by the
 * session process itself, whatever state the protocol is in; a release has
 * nothing of it. */
#ifndef MAILROW_POP3D_PROBE_H
#define MAILROW_POP3D_PROBE_H

#include "config.h"

#include "lib/buf.h"

#ifdef WITH_FAULT_POINTS
/* False: no such line. True: it was done, and "+OK errno N" (0: it went
 * through) or "+OK" and what the keeper answered, in hexadecimal, is in out.
 * Often it does not come back. */
bool probe_line(struct span line, int channel, struct buf *out);
#else
#define probe_line(line, channel, out) false
#endif

#endif
