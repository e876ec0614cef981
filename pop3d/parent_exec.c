#include "pop3d/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

#define RESUME_VARIABLE "MAILROW_POP3D_RESUME"

/* Read by the same program that wrote it, so the layout is the same too. */
struct kept {
	struct parent_listener listener[PARENT_LISTENERS_MAX];
	size_t listeners;
	int control, console;
	pid_t keeper;
	bool keeper_ready;
	struct client_ban ban[CLIENTS_BANS];
	size_t clients;
};

struct kept_client {
	pid_t pid;
	struct ipaddr a;
};

struct writer {
	int fd;
	bool failed;
};

static void write_client(void *arg, pid_t pid, const struct ipaddr *a)
{
	struct kept_client k = { .pid = pid, .a = *a };
	struct writer *w = arg;

	if (write(w->fd, &k, sizeof(k)) != (ssize_t)sizeof(k))
		w->failed = true;
}

static bool write_kept(const struct parent *p, int fd)
{
	struct writer w = { .fd = fd };
	struct kept k = {
		.listeners = p->listeners,
		.control = p->control,
		.console = p->console,
		.keeper = p->keeper,
		.keeper_ready = p->keeper_ready,
		.clients = p->clients.n,
	};

	memcpy(k.listener, p->listener, sizeof(k.listener));
	memcpy(k.ban, p->clients.ban, sizeof(k.ban));
	if (write(fd, &k, sizeof(k)) != (ssize_t)sizeof(k))
		return false;
	clients_each(&p->clients, write_client, &w);
	return !w.failed;
}

/* Whether descriptors survive execve(). */
static void keep_open(const struct parent *p, bool on)
{
	int flags = on ? 0 : FD_CLOEXEC;

	for (size_t i = 0; i < p->listeners; i++)
		(void)fcntl(p->listener[i].fd, F_SETFD, flags);
	if (p->control >= 0)
		(void)fcntl(p->control, F_SETFD, flags);
	if (p->console >= 0)
		(void)fcntl(p->console, F_SETFD, flags);
}

void parent_exec_again(struct parent *p)
{
	char number[16];
	int fd = memfd_create("mailrow-pop3d", 0);

	if (fd < 0 || !write_kept(p, fd)) {
		log_warn("cannot keep the sessions for a new start: %s",
			 strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	(void)snprintf(number, sizeof(number), "%d", fd);
	keep_open(p, true);
	if (setenv(RESUME_VARIABLE, number, 1) == 0)
		(void)execv("/proc/self/exe", p->argv);
	log_warn("cannot start anew: %s", strerror(errno));
	(void)unsetenv(RESUME_VARIABLE);
	keep_open(p, false);
	(void)close(fd);
}

static bool read_clients(struct parent *p, int fd, size_t n)
{
	struct kept_client k;

	if (n > p->clients.max && !clients_resize(&p->clients, n))
		return false;
	while (n-- > 0) {
		if (read(fd, &k, sizeof(k)) != (ssize_t)sizeof(k) ||
		    !clients_add(&p->clients, k.pid, &k.a))
			return false;
	}
	return true;
}

static bool read_kept(struct parent *p, int fd)
{
	struct kept k;

	if (lseek(fd, 0, SEEK_SET) != 0 ||
	    read(fd, &k, sizeof(k)) != (ssize_t)sizeof(k) || k.listeners == 0 ||
	    k.listeners > PARENT_LISTENERS_MAX)
		return false;
	memcpy(p->listener, k.listener, sizeof(p->listener));
	p->listeners = k.listeners;
	p->control = k.control;
	p->console = k.console;
	p->keeper = k.keeper;
	p->keeper_started = clock_ms();
	p->keeper_proven = true;
	p->keeper_ready = k.keeper_ready;
	memcpy(p->clients.ban, k.ban, sizeof(k.ban));
	return read_clients(p, fd, k.clients);
}

bool parent_exec_is_again(void)
{
	return getenv(RESUME_VARIABLE) != NULL;
}

bool parent_exec_resume(struct parent *p)
{
	const char *text = getenv(RESUME_VARIABLE);
	uint64_t fd;
	bool resumed;

	if (!text || !span_u64(span_of(text), &fd) || fd > INT32_MAX)
		return false;
	(void)unsetenv(RESUME_VARIABLE);
	resumed = read_kept(p, (int)fd);
	(void)close((int)fd);
	keep_open(p, false);
	if (!resumed)
		log_warn("cannot take over all sessions of before");
	return p->listeners > 0;
}
