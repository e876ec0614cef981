/* lib/tlsstore.c: see tlsstore.h. */
#include "lib/tlsstore.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/tlsname.h"

enum { DAY = 24 * 60 * 60, DATE_SIZE = 32 };

/* One load. */
struct loader {
	const struct tlsstore_files *files;
	struct tlsstore *store;
	const struct tlsstore *old;
	time_t now;
	struct buf *why;
};

static const char *put_date(time_t t, char to[DATE_SIZE])
{
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(to, DATE_SIZE, "%Y-%m-%d", &tm))
		to[0] = '\0';
	return to;
}

static bool is_better(const struct loader *l, const struct tlscert *new,
		      const struct tlscert *old)
{
	return new && (!tlscert_expired(new, l->now) || !old ||
		       tlscert_expired(old, l->now));
}

/* NULL, and the beginning of a line of why, when it cannot be had. */
static struct tlscert *load_good(const struct loader *l, const char *file,
				 const char *key)
{
	struct tlscert *c = tlscert_load(file, key, l->now, l->why);
	const char *reason = NULL;

	if (c && l->files->refuse)
		reason = l->files->refuse(l->files->arg, c);
	if (reason) {
		buf_printf(l->why, "%s: cannot be used: %s", file, reason);
		tlscert_unref(&c);
	}
	return c;
}

/* The new certificate, or the one that was there (may be NULL). Trouble makes
 * a line of why: what it is, and what follows. */
static struct tlscert *load_one(const struct loader *l, const char *file,
				const char *key, struct tlscert *old)
{
	struct tlscert *new = load_good(l, file, key);
	bool bad = !new || tlscert_expired(new, l->now);
	bool take = is_better(l, new, old);
	char date[DATE_SIZE];

	if (new &&bad)
		buf_printf(l->why, "%s: expired on %s", file,
			   put_date(new->until, date));
	if (bad)
		buf_puts(l->why, take  ? "; used all the same\n"
				 : old ? "; the one before stays\n"
				       : "; left out\n");
	if (take)
		return new;
	tlscert_unref(&new);
	return old ? tlscert_ref(old) : NULL;
}

static struct tlscert *find_old(const struct tlsstore *old, struct span name)
{
	for (size_t i = 0; old && i < old->n; i++) {
		if (span_is(name, old->named[i].name))
			return old->named[i].cert;
	}
	return NULL;
}

/* Takes cert over. */
static void add(struct loader *l, struct span name, struct tlscert *cert)
{
	struct tlsstore *s = l->store;
	struct tlsstore_named *named =
		reallocarray(s->named, s->n + 1, sizeof(*named));
	char *copy = strndup(name.p, name.n);

	if (named)
		s->named = named;
	if (named && copy) {
		s->named[s->n++] = (struct tlsstore_named){ copy, cert };
		return;
	}
	buf_puts(l->why, "cannot keep a certificate: out of memory\n");
	free(copy);
	tlscert_unref(&cert);
}

/* NAME.pem, else NAME is a directory. False: neither, so none of ours. */
static bool name_of(const char *entry, struct span *name_r, bool *file_r)
{
	struct span s = span_of(entry);

	*file_r = s.n > 4 && span_is(span_skip(s, s.n - 4), ".pem");
	if (*file_r)
		s = span_head(s, s.n - 4);
	*name_r = s;
	return tlsname_valid(s);
}

static bool is_directory(const char *path)
{
	DIR *d = opendir(path);

	return d && closedir(d) == 0;
}

/* The names of Let's Encrypt's tools, or plain ones. */
static void choose_files(const char *dir, struct buf *cert, struct buf *key)
{
	buf_printf(cert, "%s/fullchain.pem", dir);
	buf_printf(key, "%s/privkey.pem", dir);
	if (access(buf_cstr(cert), F_OK) == 0)
		return;
	buf_reset(cert);
	buf_reset(key);
	buf_printf(cert, "%s/cert.pem", dir);
	buf_printf(key, "%s/key.pem", dir);
}

static void take_files(struct loader *l, struct span name, struct buf *cert,
		       struct buf *key)
{
	struct tlscert *c = load_one(l, buf_cstr(cert), buf_cstr(key),
				     find_old(l->old, name));

	if (c)
		add(l, name, c);
}

static void take_entry(struct loader *l, const char *dir, const char *entry)
{
	struct buf path = BUF_INIT(PATH_MAX), cert = BUF_INIT(PATH_MAX),
		   key = BUF_INIT(PATH_MAX);
	struct span name;
	bool file;

	if (!name_of(entry, &name, &file))
		return;
	buf_printf(&path, "%s/%s", dir, entry);
	if (file)
		take_files(l, name, &path, &key);
	else if (is_directory(buf_cstr(&path))) {
		choose_files(buf_cstr(&path), &cert, &key);
		take_files(l, name, &cert, &key);
	}
	buf_release(&path);
	buf_release(&cert);
	buf_release(&key);
}

/* A directory that cannot be read leaves what was there. */
static void keep_old(struct loader *l)
{
	for (size_t i = 0; l->old && i < l->old->n; i++)
		add(l, span_of(l->old->named[i].name),
		    tlscert_ref(l->old->named[i].cert));
}

static void load_dir(struct loader *l, const char *dir)
{
	struct dirent **entry;
	int n = scandir(dir, &entry, NULL, alphasort);

	if (n < 0) {
		buf_printf(l->why, "%s: %s\n", dir, strerror(errno));
		keep_old(l);
		return;
	}
	for (int i = 0; i < n; i++) {
		take_entry(l, dir, entry[i]->d_name);
		free(entry[i]);
	}
	free(entry);
}

struct tlsstore *tlsstore_load(const struct tlsstore_files *f,
			       const struct tlsstore *old, time_t now,
			       struct buf *why)
{
	struct tlsstore *s = calloc(1, sizeof(*s));
	struct loader l = {
		.files = f, .store = s, .old = old, .now = now, .why = why
	};

	if (!s) {
		buf_puts(why, "cannot load certificates: out of memory\n");
		return NULL;
	}
	s->first = load_one(&l, f->cert, f->key, old ? old->first : NULL);
	if (f->dir[0])
		load_dir(&l, f->dir);
	if (!s->first)
		tlsstore_free(&s);
	return s;
}

void tlsstore_free(struct tlsstore **sp)
{
	struct tlsstore *s = *sp;

	*sp = NULL;
	if (!s)
		return;
	tlscert_unref(&s->first);
	for (size_t i = 0; i < s->n; i++) {
		free(s->named[i].name);
		tlscert_unref(&s->named[i].cert);
	}
	free(s->named);
	free(s);
}

static struct tlscert *find_named(const struct tlsstore *s, struct span host,
				  bool wild)
{
	for (size_t i = 0; i < s->n; i++) {
		struct span name = span_of(s->named[i].name);

		if (tlsname_is_wild(name) == wild && tlsname_match(name, host))
			return s->named[i].cert;
	}
	return NULL;
}

struct tlscert *tlsstore_find(const struct tlsstore *s, struct span host)
{
	struct tlscert *c;

	if (!tlsname_valid(host) || tlsname_is_wild(host))
		return s->first;
	c = find_named(s, host, false);
	if (!c)
		c = find_named(s, host, true);
	if (c || tlscert_is_for(s->first, host))
		return c ? c : s->first;
	for (size_t i = 0; i < s->n; i++) {
		if (tlscert_is_for(s->named[i].cert, host))
			return s->named[i].cert;
	}
	return s->first;
}

static void put_ending(const struct tlscert *c, time_t now, time_t then,
		       struct buf *b)
{
	char date[DATE_SIZE];

	if (c->until > then)
		return;
	(void)put_date(c->until, date);
	if (tlscert_expired(c, now))
		buf_printf(b, "%s: expired on %s\n", c->file, date);
	else
		buf_printf(b, "%s: expires on %s, in %lld days\n", c->file,
			   date, (long long)(c->until - now) / DAY);
}

void tlsstore_put_ending(const struct tlsstore *s, time_t now, time_t then,
			 struct buf *b)
{
	put_ending(s->first, now, then, b);
	for (size_t i = 0; i < s->n; i++)
		put_ending(s->named[i].cert, now, then, b);
}

void tlsstore_forget_keys(struct tlsstore *s)
{
	tlscert_forget_key(s->first);
	for (size_t i = 0; i < s->n; i++)
		tlscert_forget_key(s->named[i].cert);
}
