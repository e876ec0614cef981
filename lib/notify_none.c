/* lib/notify_none.c: lib/notify.h in a build without libsystemd. */
#include "lib/notify.h"

void notify_ready(void)
{
}

void notify_reloading(void)
{
}

void notify_stopping(void)
{
}
