/* lib/counter.c: see counter.h. The file is an array of slots; a slot belongs
 * to the name that came first, by an exchange on its state. */
#include "lib/counter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

enum {
	MAGIC = 0x6d720001,
	RING = COUNTER_MINUTES + 1, /* the minute that runs is one more */
	PATH_ROOM = 4096
};

enum { SLOT_FREE, SLOT_TAKEN, SLOT_NAMED };

struct minute {
	atomic_uint_fast64_t number; /* since the epoch */
	atomic_uint_fast64_t count;
};

struct slot {
	atomic_int state;
	char name[COUNTER_NAME_MAX + 1];
	atomic_uint_fast64_t total;
	struct minute minute[RING];
};

struct counters {
	uint32_t magic;
	pid_t pid;
	int64_t opened;
	struct slot slot[COUNTERS_MAX];
};

static struct counters *counters;

/* A new file each time: a tool that still maps the old one sees no change of
 * it under its feet. All its octets are there: a full file system would end us
 * when we write. */
static struct counters *map_new(const char *path)
{
	char made[PATH_ROOM + 8];
	struct counters *c = MAP_FAILED;
	int fd;

	(void)snprintf(made, sizeof(made), "%s.new", path);
	(void)unlink(made);
	fd = open(made, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		  0644);
	if (fd < 0)
		return NULL;
	errno = posix_fallocate(fd, 0, sizeof(*c));
	if (errno == 0 && fchmod(fd, 0644) == 0)
		c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, 0);
	(void)close(fd);
	if (c == MAP_FAILED)
		return NULL;
	c->opened = clock_unix();
	c->pid = getpid();
	c->magic = MAGIC;
	if (rename(made, path) == 0)
		return c;
	(void)munmap(c, sizeof(*c));
	return NULL;
}

void counter_open(const char *dir, const char *name, bool children)
{
	char path[PATH_ROOM];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	counters = map_new(path);
	if (!counters)
		log_warn("cannot keep counters in '%s': %s", path,
			 strerror(errno));
	else if (!children)
		(void)madvise(counters, sizeof(*counters), MADV_DONTFORK);
}

/* Waits for nobody: a slot that is being named just now is passed over, and a
 * name may so, once in a long while, have two slots; reading adds them up. */
static struct slot *find_slot(const char *name)
{
	for (size_t i = 0; i < COUNTERS_MAX; i++) {
		struct slot *s = &counters->slot[i];
		int state = atomic_load(&s->state);

		if (state == SLOT_NAMED &&
		    strncmp(s->name, name, COUNTER_NAME_MAX) == 0)
			return s;
		if (state != SLOT_FREE ||
		    !atomic_compare_exchange_strong(&s->state, &state,
						    SLOT_TAKEN))
			continue;
		(void)snprintf(s->name, sizeof(s->name), "%s", name);
		atomic_store(&s->state, SLOT_NAMED);
		return s;
	}
	return NULL;
}

/* Two threads at the turn of a minute may lose a count of it. */
static void add_minute(struct slot *s, uint64_t now)
{
	struct minute *m = &s->minute[now % RING];

	if (atomic_load(&m->number) != now) {
		atomic_store(&m->count, 0);
		atomic_store(&m->number, now);
	}
	atomic_fetch_add(&m->count, 1);
}

void counter_add(const char *name)
{
	struct slot *s = counters ? find_slot(name) : NULL;

	if (!s)
		return;
	atomic_fetch_add(&s->total, 1);
	add_minute(s, (uint64_t)clock_unix() / 60);
}

static void add_value(struct counter_value *v, const struct slot *s,
		      uint64_t now)
{
	v->total += atomic_load(&s->total);
	for (size_t i = 0; i < RING; i++) {
		uint64_t number = atomic_load(&s->minute[i].number);

		if (number < now && number + COUNTER_MINUTES >= now)
			v->recent += atomic_load(&s->minute[i].count);
	}
}

static void collect(const struct counters *c, struct counter_file *f)
{
	uint64_t now = (uint64_t)clock_unix() / 60;
	int k;

	for (size_t i = 0; i < COUNTERS_MAX; i++) {
		const struct slot *s = &c->slot[i];

		if (atomic_load(&s->state) != SLOT_NAMED)
			continue;
		for (k = 0; k < f->n; k++)
			if (strcmp(f->value[k].name, s->name) == 0)
				break;
		if (k == f->n)
			memcpy(f->value[f->n++].name, s->name, sizeof(s->name));
		add_value(&f->value[k], s, now);
	}
}

static const struct counters *map_read(const char *path)
{
	const struct counters *c = MAP_FAILED;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return NULL;
	errno = EINVAL;
	if (fstat(fd, &st) == 0 && st.st_size == (off_t)sizeof(*c))
		c = mmap(NULL, sizeof(*c), PROT_READ, MAP_SHARED, fd, 0);
	(void)close(fd);
	return c == MAP_FAILED ? NULL : c;
}

bool counter_read(const char *dir, const char *name, struct counter_file *f_r)
{
	const struct counters *c;
	char path[PATH_ROOM];
	bool ok;

	memset(f_r, 0, sizeof(*f_r));
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	c = map_read(path);
	if (!c)
		return false;
	ok = c->magic == MAGIC;
	if (ok) {
		f_r->opened = c->opened;
		f_r->pid = c->pid;
		collect(c, f_r);
	}
	(void)munmap((void *)(uintptr_t)c, sizeof(*c));
	if (!ok)
		errno = EINVAL;
	return ok;
}
