/*
 * bench_token.c - a token met for the first time, and one that is remembered.
 *
 * usage: bench_token [FOLDER]   keys and tokens; default tests/vectors/authn
 *
 * Each time is the median of several runs.  The remembered ones are as long
 * as Entra ID's with some groups; what they weigh is the process's resident
 * memory before and after.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "authn/token.h"
#include "authn/token_cache.h"
#include "config/file.h"

enum {
	RUNS = 9,
	NEW = 2000,
	REMEMBERED = 100000,
	TOKEN_SIZE = 1500,
	GROUPS = 20
};

static double
now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
double_cmp(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
median(double times[RUNS])
{
	qsort(times, RUNS, sizeof(times[0]), double_cmp);
	return times[RUNS / 2];
}

static void
must(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "bench_token: %s\n", what);
	exit(1);
}

/* --- new ones --- */

struct world {
	struct issuers *issuers;
	struct jwks *set, *sets[ISSUERS_MAX];
	struct jws_verifier *verifier;
	struct buf rows;
};

static void
read_file(const char *folder, const char *name, struct buf *out)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	buf_init(out, 1 << 24);
	must(file_read(path, out, NULL) == STATUS_OK, path);
}

static void
world_init(struct world *w, const char *folder)
{
	static const char *const algorithms[] = {"RS256", "ES256"};
	struct issuers_options o = {.algorithms = algorithms,
	    .algorithm_count = COUNT_OF(algorithms)};
	struct buf keys;
	char path[4096];

	*w = (struct world){0};
	(void)snprintf(path, sizeof(path), "%s/issuers.yaml", folder);
	o.path = path;
	must(issuers_load(&o, &w->issuers, NULL) == STATUS_OK, path);
	read_file(folder, "keys.json", &keys);
	must(jwks_parse(buf_slice(&keys), NULL, &w->set, NULL) == STATUS_OK,
	    "keys.json");
	buf_release(&keys);
	for (size_t i = 0; i < ISSUERS_MAX; i++)
		w->sets[i] = w->set;
	w->verifier = jws_verifier_new();
	must(w->verifier != NULL, "no memory");
	read_file(folder, "tokens.txt", &w->rows);
}

/* The token in the row that begins so, and the time it is good at. */
static struct slice
find_token(const struct world *w, const char *row, int64_t *now_s)
{
	struct slice rest = buf_slice(&w->rows), line, field = SLICE_EMPTY;
	bool done = false, column_done;
	uint64_t at = 0;

	while (slice_split(&rest, '\n', &done, &line)) {
		if (!slice_starts(line, slice_of(row)))
			continue;
		column_done = false;
		for (int i = 0; slice_split(&line, '\t', &column_done, &field);
		     i++)
			if (i == 2)
				(void)slice_to_u64(field, INT64_MAX, &at);
		*now_s = (int64_t)at;
		return field;
	}
	must(false, row);
	return field;
}

static double
judge_us(struct world *w, const char *row)
{
	double times[RUNS];
	int64_t now_s = 0;
	struct slice token = find_token(w, row, &now_s);

	for (size_t run = 0; run < RUNS; run++) {
		double start = now_us();

		for (size_t i = 0; i < NEW; i++) {
			struct token_verdict v;

			token_judge(w->issuers, w->sets, w->verifier, token,
			    now_s, &v);
			must(v.reason == AUTHN_OK, row);
			identity_unref(v.identity);
		}
		times[run] = (now_us() - start) / NEW;
	}
	return median(times);
}

/* --- remembered ones --- */

static double
resident_mib(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	must(f != NULL && fscanf(f, "%*s %ld", &pages) == 1, "statm");
	(void)fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

static struct identity *
make_identity(size_t n)
{
	char name[64], names[GROUPS][40];
	struct slice groups[GROUPS];
	struct user u;

	(void)snprintf(name, sizeof(name), "person%06zu@example.com", n);
	for (size_t i = 0; i < GROUPS; i++) {
		(void)snprintf(names[i], sizeof(names[i]),
		    "%08zx-0000-0000-0000-%012zx", n, i);
		groups[i] = slice_of(names[i]);
	}
	u = (struct user){.name = slice_of(name),
	    .groups = groups,
	    .group_count = GROUPS};
	return identity_new(&u);
}

static struct slice
make_token(char text[TOKEN_SIZE + 1], size_t n)
{
	memset(text, 'e', TOKEN_SIZE);
	(void)snprintf(text, 32, "%zu", n);
	text[31] = '.';
	return slice_make(text, TOKEN_SIZE);
}

static void
remember(struct token_cache *c)
{
	char text[TOKEN_SIZE + 1];

	for (size_t n = 0; n < REMEMBERED; n++) {
		struct token_verdict v = {.reason = AUTHN_OK,
		    .identity = make_identity(n),
		    .expires_s = 2};

		must(v.identity != NULL, "no memory");
		token_cache_put(c, 0, 1, make_token(text, n), &v);
		identity_unref(v.identity);
	}
	must(token_cache_count(c) == REMEMBERED, "not all are remembered");
}

/* step 0: the same one; else others each time. */
static double
get_us(struct token_cache *c, size_t step)
{
	double times[RUNS];

	for (size_t run = 0; run < RUNS; run++) {
		char(*texts)[TOKEN_SIZE + 1] = malloc(NEW * sizeof(*texts));
		double start;

		must(texts != NULL, "no memory");
		for (size_t i = 0; i < NEW; i++)
			(void)make_token(texts[i],
			    (run * 97 + i * step) % REMEMBERED);
		start = now_us();
		for (size_t i = 0; i < NEW; i++) {
			int64_t expires_s;
			size_t issuer;
			struct identity *id = token_cache_get(c, 0, 1,
			    slice_make(texts[i], TOKEN_SIZE), 1, &expires_s,
			    &issuer);

			must(id != NULL, "forgotten");
			identity_unref(id);
		}
		times[run] = (now_us() - start) / NEW;
		free(texts);
	}
	return median(times);
}

int
main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : "tests/vectors/authn";
	struct token_cache *c;
	struct world w;
	double before;

	world_init(&w, folder);
	printf("new RS256 token         %6.1f us\n",
	    judge_us(&w, "RS256 with the set's key"));
	printf("new ES256 token         %6.1f us\n",
	    judge_us(&w, "T-68 ES256"));
	before = resident_mib();
	c = token_cache_new(REMEMBERED, (size_t)1 << 30);
	must(c != NULL, "no memory");
	remember(c);
	printf("%d remembered       %6.1f MiB, of %d octets and %d groups\n",
	    REMEMBERED, resident_mib() - before, TOKEN_SIZE, GROUPS);
	printf("remembered, the same    %6.2f us\n", get_us(c, 0));
	printf("remembered, any         %6.2f us\n", get_us(c, 7919));
	token_cache_free(c);
	jws_verifier_free(w.verifier);
	jwks_unref(w.set);
	issuers_unref(w.issuers);
	buf_release(&w.rows);
	return 0;
}
