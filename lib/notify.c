#include "lib/notify.h"

#include <inttypes.h>

#include <systemd/sd-daemon.h>

#include "lib/clock.h"

/* A manager that does not listen is nobody's trouble but its own. */
static void notify_say(const char *state)
{
	(void)sd_notify(0, state);
}

void notify_ready(void)
{
	notify_say("READY=1");
}

/* The time tells the manager which READY=1 belongs to this reload. */
void notify_reloading(void)
{
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_us());
}

void notify_stopping(void)
{
	notify_say("STOPPING=1");
}
