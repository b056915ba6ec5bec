/*
 * fuzz_whoami.c - a line of `whoami --batch`.
 */
#include <stdlib.h>

#include "authn/strict_json.h"
#include "cli/whoami.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const json_t *
field(const json_t *answer, const char *name)
{
	return json_object_get(answer, name);
}

/* One form of three, each with its fields and no others. */
static void
check_answer(const json_t *answer, bool good)
{
	bool accepts = slice_eq(strict_json_text(field(answer, "result")),
	    SLICE("accept"));

	if (field(answer, "id") == NULL)
		abort();
	if (!good) {
		if (strict_json_text(field(answer, "error")).n == 0 ||
		    json_object_size(answer) != 2)
			abort();
	} else if (!accepts) {
		if (strict_json_text(field(answer, "reason")).n == 0 ||
		    json_object_size(answer) != 3)
			abort();
	} else if (strict_json_text(field(answer, "username")).n == 0 ||
	    !json_is_string(field(answer, "uid")) ||
	    !json_is_array(field(answer, "groups")) ||
	    !json_is_object(field(answer, "extra")) ||
	    !json_is_boolean(field(answer, "needs_group_lookup")) ||
	    json_object_size(answer) != 7) {
		abort();
	}
}

/* Whatever is asked, the answer is a line of JSON. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct whoami nothing; /* no configuration */
	struct slice line = slice_make((const char *)data, size);
	struct whoami_question q = {0};
	json_t *answer;
	struct buf out;
	bool good;

	buf_init(&out, 64 * 1024 * 1024);
	good = whoami_answer_line(&nothing, line, 1000, &q, &out);
	if (out.overflow || slice_index(buf_slice(&out), '\n') != out.len)
		abort();
	/* A NUL of the question comes back as an escape, which is not strict. */
	answer = json_loadb(out.data, out.len,
	    JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(answer))
		abort();
	check_answer(answer, good);
	json_decref(answer);
	whoami_question_release(&q);
	buf_release(&out);
	return 0;
}
