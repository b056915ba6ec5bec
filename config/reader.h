/*
 * reader.h - typed reading of a document by the rows of options.def.
 *
 * A `place` is a node with its two names: its row's path, and the path that
 * people see, with numbers in the brackets.  Every mistake goes to the
 * errinfo and reading goes on.  What is read lives in the loader's arena.
 */
#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include "base/arena.h"
#include "config/config.h"
#include "config/tree.h"

enum {
	PLACE_MAX = 256
};

struct reader {
	const char *file;
	const char *folder; /* of the file, for relative paths */
	struct arena *arena;
	struct errinfo *err;
};

struct place {
	const struct node *node; /* NULL: absent */
	unsigned line;           /* where an error about it points */
	char row[PLACE_MAX];
	char shown[PLACE_MAX];
};

/* The root of a document. */
struct place place_root(const struct node *root);

/* The field name of a mapping.  A missing REQUIRED one is an error here. */
struct place place_field(struct reader *r, const struct place *at,
    const char *name);

/* Element i of a list. */
struct place place_item(const struct place *at, size_t i);

bool place_is_absent(const struct place *p);

/*
 * False if it is absent, or no mapping, which is told.  Fields that nobody
 * knows, or that are LATER, are told and left alone.
 */
bool read_map(struct reader *r, const struct place *p);

/* A list, not empty where at_least_one; *count is 0 otherwise. */
bool read_list(struct reader *r, const struct place *p, bool at_least_one,
    size_t *count);

/*
 * A list likewise, and room for *count things of size bytes, zeroed.  NULL with
 * *count 0 where it is absent, or something was told.
 */
void *read_items(struct reader *r, const struct place *p, bool at_least_one,
    size_t size, size_t *count);

/* A mapping of any keys; what: "names to lists", say, for the error. */
bool read_pairs(struct reader *r, const struct place *p, const char *what);

/* A string, not empty; the row's default, or NULL, where it is absent. */
const char *read_string(struct reader *r, const struct place *p);

/* The same, joined to the file's folder. */
const char *read_path(struct reader *r, const struct place *p);

/* Which of the words it is; the first if it is absent, or wrong and told. */
size_t read_word(struct reader *r, const struct place *p,
    const char *const *words, size_t count);

bool read_bool(struct reader *r, const struct place *p);
uint64_t read_count(struct reader *r, const struct place *p);

/* "30s", "500ms", "2m", "24h", in milliseconds. */
int64_t read_duration_ms(struct reader *r, const struct place *p);

/* ADDRESS:PORT with a literal address. */
bool read_address(struct reader *r, const struct place *p,
    struct config_address *out);

/* An entry of a list; NULL where it is null, or something was told of it. */
typedef const char *(*read_entry_fn)(struct reader *, const struct place *);

/*
 * A list, empty where it is absent.  entry: read_string, read_path or the
 * like; what it gives NULL for is told and left out.
 */
struct config_strings read_strings(struct reader *r, const struct place *p,
    read_entry_fn entry);

/* Memory for n things of size bytes, zeroed; NULL: reported. */
void *read_alloc(struct reader *r, size_t n, size_t size);
char *read_dup(struct reader *r, struct slice s);

/* One mistake about p: "FIELD: TEXT". */
void read_error(struct reader *r, const struct place *p, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif
