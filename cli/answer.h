/*
 * answer.h - what the policy says to a question.
 */
#ifndef CLI_ANSWER_H
#define CLI_ANSWER_H

#include "cli/decider.h"
#include "cli/question.h"

/* What the server would do, before authorizers and after. */
enum gate_stage {
	GATE_OPEN = 0,
	GATE_RANGES,
	GATE_DOOR,
	GATE_ACCESS_RULE,
	GATE_AUTHORIZER
};

struct gate {
	enum gate_stage stage;
	const char *door_rule; /* of GATE_DOOR: "T-57" */
	const char *door_why;  /* constant */
};

/* All that is known of one question. */
struct answer {
	bool has_admitted, has_decision, has_gate;
	bool is_undecided; /* a user's request, and nobody to judge it */
	struct ranges_hit hit;
	struct judge judge;
	struct judge_question asked;
	struct judgement judgement;
	struct gate gate;
};

/* Pure.  Text in *out points into d and q. */
void answer_make(const struct decider *d, const struct question *q,
    int64_t now_s, struct answer *out);

/* "ranges", "door", "access_rule", "authorizer". */
const char *gate_stage_name(enum gate_stage s);

/* Why the gate is shut, as the client would be told. */
void answer_put_message(struct buf *out, const struct answer *a);

/* {"id":...,...} without a line's end. */
void answer_put_json(struct buf *out, const struct question *q,
    const struct answer *a);

/* "id":...; id may be NULL. */
void answer_put_id(struct buf *out, const json_t *id);

/* {"id":...,"error":...}; id may be NULL. */
void answer_put_error(struct buf *out, const json_t *id, struct slice why);

#endif
