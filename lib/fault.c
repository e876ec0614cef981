#include "lib/fault.h"

#ifdef WITH_FAULT_POINTS

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/span.h"

enum { CONNECTIONS_MAX = 256, PATH_SIZE = 512 };

#define MILTER  (1U << FAULT_BY_MILTER)
#define LMTPD   (1U << FAULT_BY_LMTPD)
#define AUTHD   (1U << FAULT_BY_AUTHD)
#define PARENT  (1U << FAULT_BY_PARENT)
#define KEEPER  (1U << FAULT_BY_KEEPER)
#define SESSION (1U << FAULT_BY_SESSION)
#define TOOL    (1U << FAULT_BY_TOOL)

/* What a reader needs to know stands in front. */
struct table {
	char magic[16];
	uint32_t rows, row_size, who_n, who_size;
	char who[FAULT_WHO][16];
	struct fault_row row[FAULT_COUNT];
};

static const struct table blank = {
	.magic = "mailrow faults",
	.rows = FAULT_COUNT,
	.row_size = sizeof(struct fault_row),
	.who_n = FAULT_WHO,
	.who_size = sizeof(blank.who[0]),
	.who = { "other", "milter", "lmtpd", "authd", "parent", "keeper",
		 "session", "tool" },
	.row = {
#define FAULT_POINT(id, name, who, can, step)                                  \
	{ name, step, who, FAULT_##can, "", 0, 0, { 0 } },
#include "lib/fault.def"
#undef FAULT_POINT
	},
};

static struct table *table; /* NULL: nobody gives orders */
static enum fault_who self;

/* Orders that are lost would let tests pass. */
static _Noreturn void give_up(const char *path, const char *why)
{
	(void)dprintf(STDERR_FILENO, "fault points: '%s': %s\n", path, why);
	_exit(EX_SOFTWARE);
}

/* Whole before it has its name; another process may have been faster. */
static void make_table(const char *dir, const char *path)
{
	char draft[PATH_SIZE];
	int fd;

	(void)snprintf(draft, sizeof(draft), "%s/points.XXXXXX", dir);
	fd = mkstemp(draft);
	if (fd < 0 ||
	    write(fd, &blank, sizeof(blank)) != (ssize_t)sizeof(blank) ||
	    fchmod(fd, 0666) != 0 ||
	    (link(draft, path) != 0 && errno != EEXIST))
		give_up(path, strerror(errno));
	(void)unlink(draft);
	(void)close(fd);
}

static void *map_table(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0)
		give_up(path, "cannot be opened");
	if (fstat(fd, &st) != 0 || st.st_size != (off_t)sizeof(blank))
		give_up(path, "is of another build");
	p = mmap(NULL, sizeof(blank), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 0);
	(void)close(fd);
	if (p == MAP_FAILED)
		give_up(path, "cannot be mapped");
	return p;
}

static void open_table(void)
{
	const char *dir = getenv("MAILROW_FAULT_DIR");
	char path[PATH_SIZE];

	if (!dir)
		return;
	(void)snprintf(path, sizeof(path), "%s/points", dir);
	if (access(path, F_OK) != 0)
		make_table(dir, path);
	table = map_table(path);
}

static void need_table(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, open_table);
}

void fault_i_am(enum fault_who who)
{
	need_table();
	self = who;
}

struct fault_row *fault_row(const char *name)
{
	need_table();
	for (size_t i = 0; table && i < FAULT_COUNT; i++)
		if (strcmp(table->row[i].name, name) == 0)
			return &table->row[i];
	return NULL;
}

/* A closed descriptor's number may be another socket's by now: the inode
 * tells. */
static struct connection {
	const void *owner;
	int fd;
	ino_t ino;
} connections[CONNECTIONS_MAX];

static pthread_mutex_t connections_lock = PTHREAD_MUTEX_INITIALIZER;

static struct connection *find_owner(const void *owner)
{
	size_t i = 0;

	while (i < CONNECTIONS_MAX && connections[i].owner != owner)
		i++;
	return i < CONNECTIONS_MAX ? &connections[i] : NULL;
}

void fault_connected(const void *owner, int fd)
{
	struct connection *c;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return;
	(void)pthread_mutex_lock(&connections_lock);
	c = find_owner(owner);
	if (!c)
		c = find_owner(NULL);
	if (c)
		*c = (struct connection){ owner, fd, st.st_ino };
	(void)pthread_mutex_unlock(&connections_lock);
}

void fault_disconnected(const void *owner)
{
	struct connection *c;

	(void)pthread_mutex_lock(&connections_lock);
	c = find_owner(owner);
	if (c)
		c->owner = NULL;
	(void)pthread_mutex_unlock(&connections_lock);
}

static void cut(void)
{
	struct stat st;

	(void)pthread_mutex_lock(&connections_lock);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		const struct connection *c = &connections[i];

		if (c->owner && fstat(c->fd, &st) == 0 && st.st_ino == c->ino)
			(void)shutdown(c->fd, SHUT_RDWR);
	}
	(void)pthread_mutex_unlock(&connections_lock);
}

static void stall(struct span ms)
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

static bool carry_out(struct span order)
{
	struct span word, rest;

	(void)span_cut(span_trim(order), ' ', &word, &rest);
	if (span_is(word, "die") && kill(getpid(), SIGKILL) != 0)
		_exit(EX_SOFTWARE); /* a confined session may not signal */
	if (span_is(word, "stall"))
		stall(rest);
	if (span_is(word, "cut"))
		cut();
	return span_is(word, "fail");
}

/* True for the one whose passing is the last of those that were ordered. */
static bool is_last(struct fault_row *r)
{
	uint32_t left = atomic_load(&r->left);

	while (left > 0)
		if (atomic_compare_exchange_weak(&r->left, &left, left - 1))
			return left == 1;
	return false;
}

bool fault_met(enum fault_id id)
{
	struct fault_row *r;
	char order[sizeof(r->order)];

	need_table();
	if (!table)
		return false;
	r = &table->row[id];
	(void)atomic_fetch_add(&r->passed[self], 1);
	if (atomic_load(&r->left) == 0 || (r->by && !(r->by >> self & 1)))
		return false;
	memcpy(order, r->order, sizeof(order));
	return is_last(r) &&
	       carry_out(span_make(order, strnlen(order, sizeof(order))));
}

#endif
