/* lib/log.h: one line an event, in lower case, "cannot X 'subject': reason".
 * Never blocks: a syslog that does not take a line costs that line, which is
 * counted and reported before the next line that goes through. A line has at
 * most 2048 octets, control characters become '?'. Thread-safe; errno stays.
 * Peer text goes through esc_text(). */
#ifndef MAILROW_LIB_LOG_H
#define MAILROW_LIB_LOG_H

#include "lib/conf.h"

/* ident is copied. Before this, lines go to stderr. Again after a reload, for
 * the new log_debug. */
void log_open(const struct conf *c, const char *ident);

/* For a process that shall not log at all (a POP3 session). */
void log_off(void);

void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Logs, to stderr too if syslog does not take it, and exits with a code of
 * sysexits.h. */
void log_fatal(int code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* Our bug: logs and aborts. */
void log_panic(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

#endif
