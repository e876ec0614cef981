#include "pop3d/grudge.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/clock.h"
#include "lib/log.h"

enum { GRUDGE_MS = 10000, TEXT_MAX = 256 };

void grudge_warn(struct grudge *g, const char *fmt, ...)
{
	int64_t now = clock_ms();
	char text[TEXT_MAX];
	va_list ap;

	if (now < g->next) {
		g->unsaid++;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_warn("%s (%" PRIu64 " more before)", text, g->unsaid);
	g->unsaid = 0;
	g->next = now + GRUDGE_MS;
}
