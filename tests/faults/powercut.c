/* tests/faults/powercut.c: preloaded into a database server. Before one of its
 * logs (redo, binlog) under $POWERCUT_UNDER is changed, what was there is
 * written to the journal $POWERCUT_JOURNAL, and each flush that has succeeded
 * too. When the server has been killed, powercut.py takes back, last first,
 * what was not flushed: the logs then end as they do on a disk that has kept
 * nothing but what it was told to keep. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dlfcn.h>

/* FLUSH_US: a flush takes that long at least, as on a disk that turns: or the
 * power would hardly ever fail while something waits for one. */
enum { PIECE_MAX = 64 << 20, FLUSH_US = 3000 };

/* A record; behind it path_len octets of path and old_len of old content. */
struct record {
	uint64_t number; /* of a change, from 1; for a flush: up to which */
	uint64_t flush;  /* 1: a flush of this file, 0: a change */
	uint64_t inode;
	uint64_t offset;
	uint64_t size; /* of the file, before */
	uint64_t old_len;
	uint64_t path_len;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *under;
static int journal = -1;
static uint64_t changes;

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fdatasync)(int);
static int (*real_fsync)(int);

static void *real(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (!f)
		abort();
	return f;
}

/* Only the server itself is meant, not the shell that starts it. */
__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("POWERCUT_JOURNAL");
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	*(void **)&real_pwrite = real("pwrite64");
	*(void **)&real_write = real("write");
	*(void **)&real_ftruncate = real("ftruncate64");
	*(void **)&real_fdatasync = real("fdatasync");
	*(void **)&real_fsync = real("fsync");
	self[n > 0 ? n : 0] = '\0';
	under = getenv("POWERCUT_UNDER");
	if (!path || !under || !strstr(self, "mariadbd"))
		return;
	journal = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (journal < 0)
		abort();
}

/* What a commit is worth hangs on the logs alone. Tables are left out: the
 * server counts a page as flushed that was written while a flush of its file
 * ran, which no disk promises. */
static bool is_log(const char *path)
{
	const char *name = strrchr(path, '/') + 1;

	return strncmp(name, "ib_logfile", 10) == 0 ||
	       strncmp(name, "binlog.0", 8) == 0;
}

/* The path of a file that is watched. */
static bool watched(int fd, char path[PATH_MAX])
{
	char link[64];
	size_t len;
	ssize_t n;

	if (journal < 0 || fd == journal)
		return false;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	if (n <= 0)
		return false;
	path[n] = '\0';
	len = strlen(under);
	return strncmp(path, under, len) == 0 && path[len] == '/' &&
	       is_log(path);
}

static void put(const void *p, size_t n)
{
	if (real_write(journal, p, n) != (ssize_t)n)
		abort();
}

static void put_record(struct record *r, const char *path, const void *old)
{
	char *all;
	size_t n;

	r->path_len = strlen(path);
	n = sizeof(*r) + r->path_len + r->old_len;
	all = malloc(n);
	if (!all)
		abort();
	memcpy(all, r, sizeof(*r));
	memcpy(all + sizeof(*r), path, r->path_len);
	if (r->old_len)
		memcpy(all + sizeof(*r) + r->path_len, old, r->old_len);
	put(all, n);
	free(all);
}

/* With the lock held: octets from offset on are about to change. */
static void note_change(int fd, const char *path, off_t offset, size_t n)
{
	struct record r = { .number = ++changes, .offset = (uint64_t)offset };
	struct stat st;
	char *old = NULL;
	int reader;

	if (fstat(fd, &st) != 0)
		abort();
	r.inode = st.st_ino;
	r.size = (uint64_t)st.st_size;
	if (offset < st.st_size) {
		if ((off_t)n > st.st_size - offset)
			n = (size_t)(st.st_size - offset);
		reader = open(path, O_RDONLY | O_CLOEXEC);
		old = n <= PIECE_MAX ? malloc(n) : NULL;
		if (reader < 0 || !old ||
		    pread(reader, old, n, offset) != (ssize_t)n)
			abort();
		(void)close(reader);
		r.old_len = n;
	}
	put_record(&r, path, old);
	free(old);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t offset)
{
	char path[PATH_MAX];
	ssize_t done;
	int why;

	if (!watched(fd, path))
		return real_pwrite(fd, p, n, offset);
	pthread_mutex_lock(&lock);
	note_change(fd, path, offset, n);
	done = real_pwrite(fd, p, n, offset);
	why = errno;
	pthread_mutex_unlock(&lock);
	errno = why;
	return done;
}

ssize_t write(int fd, const void *p, size_t n)
{
	char path[PATH_MAX];
	struct stat st;
	ssize_t done;
	int why;

	if (!watched(fd, path))
		return real_write(fd, p, n);
	pthread_mutex_lock(&lock);
	if (fcntl(fd, F_GETFL) & O_APPEND)
		note_change(fd, path, fstat(fd, &st) == 0 ? st.st_size : 0, n);
	else
		note_change(fd, path, lseek(fd, 0, SEEK_CUR), n);
	done = real_write(fd, p, n);
	why = errno;
	pthread_mutex_unlock(&lock);
	errno = why;
	return done;
}

int ftruncate64(int fd, off_t size)
{
	char path[PATH_MAX];
	int r, why;

	if (!watched(fd, path))
		return real_ftruncate(fd, size);
	pthread_mutex_lock(&lock);
	note_change(fd, path, size, PIECE_MAX);
	r = real_ftruncate(fd, size);
	why = errno;
	pthread_mutex_unlock(&lock);
	errno = why;
	return r;
}

/* What was changed while it ran may have been flushed or not: it counts as
 * not. */
static int flush(int fd, int (*sync)(int))
{
	struct record r = { .flush = 1 };
	char path[PATH_MAX];
	struct stat st;

	if (!watched(fd, path))
		return sync(fd);
	pthread_mutex_lock(&lock);
	r.number = changes;
	pthread_mutex_unlock(&lock);
	(void)usleep(FLUSH_US);
	if (sync(fd) != 0)
		return -1;
	if (fstat(fd, &st) != 0)
		abort();
	r.inode = st.st_ino;
	pthread_mutex_lock(&lock);
	put_record(&r, path, NULL);
	pthread_mutex_unlock(&lock);
	return 0;
}

int fdatasync(int fd)
{
	return flush(fd, real_fdatasync);
}

int fsync(int fd)
{
	return flush(fd, real_fsync);
}
