/* lmtpd/forward.c: see forward.h. libcurl speaks the SMTP. */
#include "lmtpd/forward.h"

#include <stdlib.h>

#include <curl/curl.h>

#include "lib/clock.h"

enum { URL_MAX = 512, PATH_MAX_OCTETS = ADDR_MAX + 3 };

struct forward_list {
	struct curl_slist *path;
	size_t n;
};

bool forward_prepare(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

struct forward_list *forward_list_new(void)
{
	return calloc(1, sizeof(struct forward_list));
}

bool forward_list_add(struct forward_list *l, const struct addr *a)
{
	char path[PATH_MAX_OCTETS];
	struct curl_slist *longer;

	(void)snprintf(path, sizeof(path), "<%s>", a->text);
	longer = curl_slist_append(l->path, path);
	if (!longer)
		return false;
	l->path = longer;
	l->n++;
	return true;
}

size_t forward_list_size(const struct forward_list *l)
{
	return l->n;
}

void forward_list_free(struct forward_list **l)
{
	if (!*l)
		return;
	curl_slist_free_all((*l)->path);
	free(*l);
	*l = NULL;
}

/* Where the mail is read. */
struct reading {
	struct spool *content;
	uint64_t at;
};

static size_t read_content(char *p, size_t size, size_t n, void *arg)
{
	struct reading *r = arg;
	int64_t got = spool_read(r->content, r->at, p, size * n);

	if (got < 0)
		return CURL_READFUNC_ABORT;
	r->at += (uint64_t)got;
	return (size_t)got;
}

/* libcurl takes the name to greet with from the path of the URL. */
static bool set_target(CURL *c, const struct forward *f)
{
	char url[URL_MAX];
	int n = snprintf(url, sizeof(url), "%s/%s", f->url, f->hostname);

	return n > 0 && (size_t)n < sizeof(url) &&
	       curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK;
}

static bool set_envelope(CURL *c, const struct forward *f,
			 const struct forward_list *l)
{
	struct buf from = BUF_INIT(URL_MAX * 16);
	bool ok;

	buf_printf(&from, "<%s>", f->sender);
	ok = buf_ok(&from) &&
	     curl_easy_setopt(c, CURLOPT_MAIL_FROM, buf_cstr(&from)) ==
		     CURLE_OK &&
	     curl_easy_setopt(c, CURLOPT_MAIL_RCPT, l->path) == CURLE_OK;
	buf_release(&from);
	return ok;
}

static bool set_content(CURL *c, const struct forward *f, struct reading *r)
{
	curl_off_t size = (curl_off_t)spool_size(f->content);

	return curl_easy_setopt(c, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_READFUNCTION, read_content) ==
		       CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_READDATA, r) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, size) == CURLE_OK;
}

/* No signals: we have threads. */
static bool set_patience(CURL *c, const struct forward *f)
{
	long left = deadline_left(f->deadline);

	return curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, left > 0 ? left : 1L) ==
		       CURLE_OK;
}

static bool send_by(CURL *c, struct buf *why)
{
	CURLcode code = curl_easy_perform(c);
	long response = 0;

	if (code == CURLE_OK)
		return true;
	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &response);
	buf_puts(why, curl_easy_strerror(code));
	if (response > 0)
		buf_printf(why, " (the MTA said %ld)", response);
	return false;
}

bool forward_send(const struct forward *f, const struct forward_list *l,
		  struct buf *why)
{
	struct reading r = { .content = f->content };
	CURL *c = curl_easy_init();
	bool ok = false;

	if (c && set_target(c, f) && set_envelope(c, f, l) &&
	    set_content(c, f, &r) && set_patience(c, f))
		ok = send_by(c, why);
	else
		buf_puts(why, "cannot set libcurl up");
	curl_easy_cleanup(c);
	return ok;
}
