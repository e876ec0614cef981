#include "auth/tick.h"

int64_t tick_due(int64_t begun, int64_t now, int64_t delay, int64_t deadline)
{
	int64_t passed = now - begun, due;

	if (delay == 0)
		return now;
	if (passed < delay)
		passed = delay;
	due = begun + (passed + TICK_MS - 1) / TICK_MS * TICK_MS;
	return due < deadline ? due : deadline;
}
