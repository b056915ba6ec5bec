/*
 * explain.h - the ways in which explain answers.
 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "cli/answer.h"

/*
 * Questions from standard input, answers to standard output, until the end of
 * input.  The exit status: 0 if every line was answered.
 */
int explain_batch(const struct decider *d);

/* Literals from standard input: what each is as a prefix.  0. */
int explain_cidr(void);

/* "pods/exec", made printable. */
void explain_put_resource(struct buf *out, const struct attributes *a);

/* One answer for people. */
void explain_put_text(struct buf *out, const struct decider *d,
    const struct question *q, const struct answer *a);

#endif
