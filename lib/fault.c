#include "lib/fault.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "lib/span.h"

#ifdef WITH_FAULT_POINTS

/* The file is the order; who removes it carries it out, once. */
static bool fault_take(const char *name, char *text, size_t size)
{
	const char *dir = getenv("MAILROW_FAULT_DIR");
	char path[512];
	ssize_t n;
	int fd;

	if (!dir || snprintf(path, sizeof(path), "%s/%s", dir, name) >=
			    (int)sizeof(path))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, size - 1);
	close(fd);
	if (n < 0 || unlink(path) != 0)
		return false;
	text[n] = '\0';
	return true;
}

static void fault_stall(struct span ms)
{
	struct timespec t;
	uint64_t n;

	if (!span_u64(span_trim(ms), &n))
		return;
	t.tv_sec = (time_t)(n / 1000);
	t.tv_nsec = (long)(n % 1000) * 1000000;
	while (nanosleep(&t, &t) != 0)
		;
}

bool fault_point(const char *name)
{
	struct span word, rest;
	char text[64];

	if (!fault_take(name, text, sizeof(text)))
		return false;
	(void)span_cut(span_trim(span_of(text)), ' ', &word, &rest);
	if (span_is(word, "die"))
		(void)kill(getpid(), SIGKILL);
	if (span_is(word, "stall"))
		fault_stall(rest);
	return span_is(word, "fail");
}

#endif
