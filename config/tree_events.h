/*
 * tree_events.h - what the files of the tree share; nobody else's.
 */
#ifndef CONFIG_TREE_EVENTS_H
#define CONFIG_TREE_EVENTS_H

#include "base/arena.h"
#include "config/tree.h"

struct tree {
	char *name;
	struct arena arena; /* nodes and their text */
	const struct node **roots;
	size_t count;
};

/* An empty one; NULL: no memory. */
struct tree *tree_new(const char *name);

/*
 * Read text into t, which is empty.  On failure t holds some of it and is
 * good for tree_free() only; what was wrong was added to err.
 */
NODISCARD enum status tree_events_read(struct tree *t, struct slice text,
    struct errinfo *err);

#endif
