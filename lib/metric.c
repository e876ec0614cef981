/* lib/metric.c: see metric.h. A row of metric.def has its place; a name of a
 * NAMED row has the slot that it came to first, by an exchange on its state. */
#include "lib/metric.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

enum {
	MAGIC = 0x6d720002,
	RING = METRIC_MINUTES + 1, /* the minute that runs is one more */
	PATH_ROOM = 4096
};

const struct metric metrics[METRIC_COUNT] = {
#define METRIC(programs, id, kind, family, label, text, help)                  \
	[M_##id] = { METRIC_IS_##kind, programs, family, label, text, help },
#include "lib/metric.def"
#undef METRIC
};

const uint64_t metric_bucket[METRIC_BUCKETS - 1] = {
	1000,   2500,   5000,    10000,   25000,   50000,    100000,
	250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000,
};

enum { SLOT_FREE, SLOT_TAKEN, SLOT_NAMED };

struct minute {
	atomic_uint_fast64_t number; /* since the epoch */
	atomic_uint_fast64_t count;
};

struct value {
	atomic_uint_fast64_t total;
	struct minute minute[RING];
};

struct duration {
	atomic_uint_fast64_t us;
	atomic_uint_fast64_t bucket[METRIC_BUCKETS];
};

struct slot {
	atomic_int state;
	enum metric_id id;
	char name[METRIC_NAME_MAX + 1];
	struct value value;
};

struct file {
	uint32_t magic;
	pid_t pid;
	int64_t opened;
	struct value value[METRIC_COUNT];
	struct duration duration[METRIC_COUNT];
	struct slot slot[METRIC_NAMES];
};

static struct file *file;

/* A new file each time: a tool that still maps the old one sees no change of
 * it under its feet. All its octets are there: a full file system would end us
 * when we write. */
static struct file *map_new(const char *path)
{
	char made[PATH_ROOM + 8];
	struct file *c = MAP_FAILED;
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

static struct file *map_shared(int fd, int protection)
{
	struct file *c = MAP_FAILED;
	struct stat st;

	errno = EINVAL;
	if (fstat(fd, &st) == 0 && st.st_size == (off_t)sizeof(*c))
		c = mmap(NULL, sizeof(*c), protection, MAP_SHARED, fd, 0);
	return c == MAP_FAILED ? NULL : c;
}

/* NULL: there is none of this process. */
static struct file *map_own(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct file *c;

	if (fd < 0)
		return NULL;
	c = map_shared(fd, PROT_READ | PROT_WRITE);
	(void)close(fd);
	if (c && c->magic == MAGIC && c->pid == getpid())
		return c;
	if (c)
		(void)munmap(c, sizeof(*c));
	return NULL;
}

void metric_open(const char *dir, const char *name, bool again)
{
	char path[PATH_ROOM];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = again ? map_own(path) : NULL;
	if (!file)
		file = map_new(path);
	if (!file)
		log_warn("cannot keep counters in '%s': %s", path,
			 strerror(errno));
}

void metric_close(void)
{
	if (file)
		(void)munmap(file, sizeof(*file));
	file = NULL;
}

/* Two threads at the turn of a minute may lose a count of it. */
static void add_value(struct value *v, uint64_t n)
{
	uint64_t now = (uint64_t)clock_unix() / 60;
	struct minute *m = &v->minute[now % RING];

	atomic_fetch_add(&v->total, n);
	if (atomic_load(&m->number) != now) {
		atomic_store(&m->count, 0);
		atomic_store(&m->number, now);
	}
	atomic_fetch_add(&m->count, n);
}

void metric_add(enum metric_id m, uint64_t n)
{
	if (file)
		add_value(&file->value[m], n);
}

/* Waits for nobody: a slot that is being named just now is passed over, and a
 * name may so, once in a long while, have two slots; reading adds them up. */
static struct slot *find_slot(enum metric_id m, const char *name)
{
	for (size_t i = 0; i < METRIC_NAMES; i++) {
		struct slot *s = &file->slot[i];
		int state = atomic_load(&s->state);

		if (state == SLOT_NAMED && s->id == m &&
		    strncmp(s->name, name, METRIC_NAME_MAX) == 0)
			return s;
		if (state != SLOT_FREE ||
		    !atomic_compare_exchange_strong(&s->state, &state,
						    SLOT_TAKEN))
			continue;
		s->id = m;
		(void)snprintf(s->name, sizeof(s->name), "%s", name);
		atomic_store(&s->state, SLOT_NAMED);
		return s;
	}
	return NULL;
}

void metric_add_named(enum metric_id m, const char *name)
{
	struct slot *s = file ? find_slot(m, name) : NULL;

	if (s)
		add_value(&s->value, 1);
}

void metric_set(enum metric_id m, uint64_t n)
{
	if (file)
		atomic_store(&file->value[m].total, n);
}

void metric_add_time(enum metric_id m, int64_t since)
{
	int64_t now = clock_us();
	uint64_t us = now > since ? (uint64_t)(now - since) : 0;
	size_t i = 0;

	if (!file)
		return;
	while (i < METRIC_BUCKETS - 1 && us > metric_bucket[i])
		i++;
	atomic_fetch_add(&file->duration[m].us, us);
	atomic_fetch_add(&file->duration[m].bucket[i], 1);
	add_value(&file->value[m], 1);
}

static void take_value(struct metric_value *v, const struct value *from)
{
	uint64_t now = (uint64_t)clock_unix() / 60;

	v->total += atomic_load(&from->total);
	for (size_t i = 0; i < RING; i++) {
		uint64_t number = atomic_load(&from->minute[i].number);

		if (number < now && number + METRIC_MINUTES >= now)
			v->recent += atomic_load(&from->minute[i].count);
	}
}

static void take_row(struct metric_file *f, const struct file *from,
		     enum metric_id m)
{
	struct metric_value *v = &f->value[f->n];

	v->id = m;
	take_value(v, &from->value[m]);
	v->us = atomic_load(&from->duration[m].us);
	for (size_t i = 0; i < METRIC_BUCKETS; i++)
		v->bucket[i] = atomic_load(&from->duration[m].bucket[i]);
	f->n++;
}

static int by_name(const void *a, const void *b)
{
	const struct metric_value *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void take_names(struct metric_file *f, const struct file *from,
		       enum metric_id m)
{
	size_t first = f->n, k;

	for (size_t i = 0; i < METRIC_NAMES; i++) {
		const struct slot *s = &from->slot[i];

		if (atomic_load(&s->state) != SLOT_NAMED || s->id != m)
			continue;
		for (k = first; k < f->n; k++)
			if (strcmp(f->value[k].name, s->name) == 0)
				break;
		if (k == f->n) {
			f->value[k].id = m;
			memcpy(f->value[f->n++].name, s->name, sizeof(s->name));
		}
		take_value(&f->value[k], &s->value);
	}
	qsort(f->value + first, f->n - first, sizeof(f->value[0]), by_name);
}

static const struct file *map_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const struct file *c;

	if (fd < 0)
		return NULL;
	c = map_shared(fd, PROT_READ);
	(void)close(fd);
	return c;
}

static void take_all(struct metric_file *f, const struct file *from)
{
	f->opened = from->opened;
	f->pid = from->pid;
	for (enum metric_id m = 0; m < METRIC_COUNT; m++) {
		if (metrics[m].kind == METRIC_IS_NAMED)
			take_names(f, from, m);
		else
			take_row(f, from, m);
	}
}

struct metric_file *metric_read(const char *dir, const char *name)
{
	struct metric_file *f = calloc(1, sizeof(*f));
	const struct file *c;
	char path[PATH_ROOM];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	c = f ? map_read(path) : NULL;
	if (c && c->magic == MAGIC) {
		take_all(f, c);
		(void)munmap((void *)(uintptr_t)c, sizeof(*c));
		return f;
	}
	if (c) {
		(void)munmap((void *)(uintptr_t)c, sizeof(*c));
		errno = EINVAL;
	}
	free(f);
	return NULL;
}
