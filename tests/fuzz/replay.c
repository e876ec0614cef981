/* tests/fuzz/replay.c: main() of a fuzz target in `make check`. It gives the
 * target the empty input and every file of the folders (or the files) named
 * as arguments; without any, of tests/fuzz/corpus/TARGET in the sources. A
 * folder without a file is an error: such a test would test nothing. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 20, PATH_SIZE = 4096 };

/* From memory of its own size, so that a sanitizer sees an overrun. */
static void run(const uint8_t *data, size_t n)
{
	uint8_t *copy = calloc(1, n > 0 ? n : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, data, n);
	(void)LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static int run_file(const char *path)
{
	static uint8_t data[INPUT_MAX];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (f == NULL) {
		fprintf(stderr, "cannot open '%s': %s\n", path,
			strerror(errno));
		return -1;
	}
	n = fread(data, 1, sizeof(data), f);
	if (ferror(f)) {
		fprintf(stderr, "cannot read '%s'\n", path);
		(void)fclose(f);
		return -1;
	}
	(void)fclose(f);
	run(data, n);
	return 1;
}

static int run_entry(const char *folder, const char *name)
{
	char path[PATH_SIZE];

	if (name[0] == '.')
		return 0;
	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= PATH_SIZE)
		return -1;
	return run_file(path);
}

/* How many files were run; -1 when one could not be. */
static int run_path(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int total = 0;

	if (d == NULL)
		return run_file(path);
	while (total >= 0 && (e = readdir(d)) != NULL) {
		int n = run_entry(path, e->d_name);

		total = n < 0 ? -1 : total + n;
	}
	(void)closedir(d);
	if (total == 0)
		fprintf(stderr, "no file in '%s'\n", path);
	return total > 0 ? total : -1;
}

static int run_default(const char *program)
{
	const char *srcdir = getenv("top_srcdir");
	const char *slash = strrchr(program, '/');
	char path[PATH_SIZE];

	if (snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s",
		     srcdir != NULL ? srcdir : ".",
		     slash != NULL ? slash + 1 : program) >= PATH_SIZE)
		return -1;
	return run_path(path);
}

int main(int argc, char **argv)
{
	int total = 0;

	run((const uint8_t *)"", 0);
	if (argc == 1)
		total = run_default(argv[0]);
	for (int i = 1; i < argc && total >= 0; i++) {
		int n = run_path(argv[i]);

		total = n < 0 ? -1 : total + n;
	}
	if (total < 0)
		return EXIT_FAILURE;
	printf("%d inputs\n", total);
	return EXIT_SUCCESS;
}
