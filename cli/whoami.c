/*
 * whoami.c - who is this token or certificate, or why is it refused?
 */
#include "cli/whoami.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/monotime.h"
#include "cli/commands.h"
#include "cli/decider.h"
#include "snapshot/build.h"

enum {
	INPUT_MAX = 256 * 1024, /* longer is no token either, nor a chain */
	TEXT_MAX = 1024 * 1024
};

/* --- what judges --- */

static enum status
open_cluster(struct whoami *w, const char *cluster, struct errinfo *err)
{
	enum status st;

	w->parts.config = decider_cluster(w->config, cluster, err);
	if (w->parts.config == NULL)
		return STATUS_NOT_FOUND;
	st = build_identity(w->config, &w->parts, err);
	if (st != STATUS_OK)
		return st;
	w->verifier = jws_verifier_new();
	return w->verifier != NULL
	    ? STATUS_OK
	    : errinfo_set(err, STATUS_NOMEM, NULL, 0, "out of memory");
}

enum status
whoami_open(const char *config, const char *cluster, struct whoami *out,
    struct errinfo *err)
{
	enum status st;

	*out = (struct whoami){0};
	if (config == NULL)
		return STATUS_OK;
	st = config_load(config, CONFIG_NEED_AUTHENTICATION, &out->config, err);
	if (st == STATUS_OK)
		st = open_cluster(out, cluster, err);
	if (st != STATUS_OK)
		whoami_close(out);
	return st;
}

void
whoami_close(struct whoami *w)
{
	jws_verifier_free(w->verifier);
	cluster_release(&w->parts);
	config_unref(w->config);
	*w = (struct whoami){0};
}

/* --- one token, or certificate --- */

/* All of standard input, or as much of it as shows that it is no token. */
static enum status
read_token(struct buf *b)
{
	for (;;) {
		size_t n = buf_room(b) < 4096 ? buf_room(b) : 4096;
		char *room = n != 0 ? buf_reserve(b, n) : NULL;
		ssize_t got;

		if (n == 0)
			return STATUS_OK;
		if (room == NULL)
			return STATUS_NOMEM;
		got = read(STDIN_FILENO, room, n);
		if (got < 0)
			return STATUS_IO;
		if (got == 0)
			return STATUS_OK;
		b->len += (size_t)got;
	}
}

/* Without its line's end, of whichever system. */
static struct slice
without_end(struct slice s)
{
	if (s.n != 0 && s.p[s.n - 1] == '\n')
		s.n--;
	if (s.n != 0 && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

static void
print_answer(const struct whoami *w, struct slice text, int64_t now_s,
    const struct whoami_answer *a, bool json)
{
	struct buf out;

	buf_init(&out, TEXT_MAX);
	if (json) {
		(void)whoami_put_json(&out, NULL, a);
		buf_putc(&out, '\n');
	} else if (whoami_is_certificate(text)) {
		whoami_put_certificate_text(&out, w, now_s, a);
	} else {
		whoami_put_text(&out, w, text, now_s, a);
	}
	(void)fwrite(out.data, 1, out.len, stdout);
	buf_release(&out);
}

static int
whoami_one(const struct whoami *w, bool json)
{
	int64_t now_s = walltime_s();
	struct whoami_answer a;
	const char *cannot;
	struct slice asked;
	struct buf text;
	bool certificate;

	if (isatty(STDIN_FILENO) == 1)
		(void)fprintf(stderr,
		    "whoami: waiting for a token, or a certificate, on "
		    "standard input\n");
	buf_init_secret(&text, INPUT_MAX);
	if (read_token(&text) != STATUS_OK) {
		(void)fprintf(stderr,
		    "whoami: standard input cannot be read\n");
		buf_release(&text);
		return 1;
	}
	asked = without_end(buf_slice(&text));
	certificate = whoami_is_certificate(asked);
	cannot = whoami_cannot_judge(w, certificate);
	if (cannot != NULL) {
		(void)fprintf(stderr, "whoami: cluster \"%s\": %s\n",
		    w->parts.config->name, cannot);
		buf_release(&text);
		return 1;
	}
	if (certificate)
		whoami_judge_certificate(w, asked, now_s, &a);
	else
		whoami_judge(w, asked, now_s, &a);
	print_answer(w, asked, now_s, &a, json);
	identity_unref(a.identity);
	buf_release(&text);
	return a.reason == AUTHN_OK ? 0 : 1;
}

/* --- the command --- */

static int
usage_error(const char *text)
{
	(void)fprintf(stderr, "whoami: %s\n", text);
	return 2;
}

static int
check_options(const char *config, const char *cluster, const char *batch,
    const char *output)
{
	if (cluster != NULL && config == NULL)
		return usage_error("--cluster needs --config");
	if (batch == NULL && config == NULL)
		return usage_error("a token needs --config; claims that bring "
				   "their rules along need --batch");
	if (output != NULL && strcmp(output, "json") != 0 &&
	    strcmp(output, "text") != 0)
		return usage_error("--output is json or text");
	if (batch != NULL && output != NULL)
		return usage_error("--batch answers in JSON, without --output");
	return 0;
}

int
command_whoami(int argc, char **argv)
{
	const char *config = NULL, *cluster = NULL, *batch = NULL;
	const char *output = NULL;
	const struct cli_option options[] = {
	    CLI_VALUE("config", "FILE", "whose issuers, keys and CA judge",
		&config),
	    CLI_VALUE("cluster", "NAME", "which cluster; default: the only one",
		&cluster),
	    CLI_SWITCH("batch", "questions from standard input, JSON", &batch),
	    CLI_VALUE("output", "FORM", "text or json, of one answer", &output),
	    {0},
	};
	struct errinfo err = {0};
	struct whoami w = {0};
	int rc = cli_parse(argc, argv,
	    "whoami --config FILE [--cluster NAME] < TOKEN-OR-CERTIFICATE\n"
	    "Who a token or a client certificate is, or why it is refused; "
	    "keys come from\njwksFiles.  Either is read from standard input, "
	    "certificates as PEM, the\nclient's first; a token is never "
	    "printed.  Exit status 0: accepted, 1: refused.",
	    options);

	if (rc < 0) {
		rc = check_options(config, cluster, batch, output);
		rc = rc != 0 ? rc : -1;
	}
	if (rc >= 0)
		return rc;
	rc = 1;
	if (whoami_open(config, cluster, &w, &err) == STATUS_OK)
		rc = batch != NULL
		    ? whoami_batch(&w)
		    : whoami_one(&w,
			  output != NULL && strcmp(output, "json") == 0);
	if (err.text.len != 0)
		(void)fwrite(err.text.data, 1, err.text.len, stderr);
	errinfo_release(&err);
	whoami_close(&w);
	return rc;
}
