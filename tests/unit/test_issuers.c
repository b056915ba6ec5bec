/*
 * test_issuers.c - AuthenticationConfigurations, and what issuers answer.
 */
#include "authn/issuers.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/file.h"
#include "tests/support/rows.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEAD                                                                   \
	"apiVersion: apiserver.config.k8s.io/v1\n"                             \
	"kind: AuthenticationConfiguration\n"
#define USERNAME "    username: {claim: sub, prefix: \"\"}\n"
#define ISSUER(extra)                                                          \
	HEAD "jwt:\n"                                                          \
	     "- issuer:\n"                                                     \
	     "    url: https://i.example.com\n"                                \
	     "    audiences: [a]\n" extra "  claimMappings:\n" USERNAME
/* The mappings begin at line 8. */
#define MAPPINGS(text)                                                         \
	HEAD "jwt:\n"                                                          \
	     "- issuer:\n"                                                     \
	     "    url: https://i.example.com\n"                                \
	     "    audiences: [a]\n"                                            \
	     "  claimMappings:\n" text
#define EXTRA(key, value)                                                      \
	MAPPINGS(USERNAME "    extra: [{key: " key ", valueExpression: " value \
			  "}]\n")
#define URL(url)                                                               \
	HEAD "jwt:\n"                                                          \
	     "- issuer: {audiences: [a], url: " url "}\n"                      \
	     "  claimMappings:\n" USERNAME
#define AUDIENCES(text)                                                        \
	HEAD "jwt:\n"                                                          \
	     "- issuer: {url: https://i.example.com, " text "}\n"              \
	     "  claimMappings:\n" USERNAME

static const char *const algorithms[] = {"RS256", "ES256"};
static const char *const key_hosts[] = {"keys.example.net"};
static const char *const users[] = {"system:robot", "system:masters"};
static const char *const groups[] = {"system:robots", "system:masters"};

static const struct issuers_options options = {
    .path = "auth.yaml",
    .algorithms = algorithms,
    .algorithm_count = COUNT_OF(algorithms),
    .key_hosts = key_hosts,
    .key_host_count = COUNT_OF(key_hosts),
    .reserved_users = users,
    .reserved_user_count = COUNT_OF(users),
    .reserved_groups = groups,
    .reserved_group_count = COUNT_OF(groups),
    .nbf_skew_s = 60,
};

/* --- mistakes: all that is said, line by line --- */

static struct mistake {
	const char *name;
	const char *text;
	const char *reports; /* how each line begins, separated by '\n' */
} mistakes[] = {
    {"not YAML", "jwt: [", "auth.yaml:2:"},
    {"nothing", "", "auth.yaml: must be one Auth"},
    {"two documents", HEAD "---\n" HEAD, "auth.yaml: must be one Auth"},
    {"a list", "[]", "auth.yaml:1: must be one Auth"},
    {"another kind", "apiVersion: v1\nkind: Role\njwt: [{}]",
	"auth.yaml:1: apiVersion: must be apiserver.config.k8s.io/v1 "
	"(or\n"
	"auth.yaml:2: kind: must be AuthenticationConfiguration\n"
	"auth.yaml:3: jwt[0].issuer: is required\n"
	"auth.yaml:3: jwt[0].claimMappings.username.claim: is "
	"required"},
    {"a future version",
	"apiVersion: apiserver.config.k8s.io/v2\n"
	"kind: AuthenticationConfiguration\njwt: []",
	"auth.yaml:1: apiVersion: must be\n"
	"auth.yaml:3: warning: jwt: is empty"},
    {"an unknown field at the top", ISSUER("") "users: []\n",
	"auth.yaml:9: users: is no field here; there are apiVersion, "
	"kind, "
	"jwt, anonymous"},
    {"a field in another case", ISSUER("    discoveryUrl: x\n"),
	"auth.yaml:7: jwt[0].issuer.discoveryUrl: is no field here"},
    {"a duplicate field", HEAD "kind: x\n", "auth.yaml:3:"},
    {"jwt is a mapping", HEAD "jwt: {}\n",
	"auth.yaml:3: jwt: must be a list, not a mapping"},
    {"an empty entry", HEAD "jwt:\n-\n", "auth.yaml:4: jwt[0]: must not be"},
    {"an entry that is a string", HEAD "jwt: [x]\n",
	"auth.yaml:3: jwt[0]: must be a mapping, not a string"},
    /* issuer */
    {"no url", URL("\"\""), "auth.yaml:4: jwt[0].issuer.url: is required"},
    {"url null", URL(""), "auth.yaml:4: jwt[0].issuer.url: is required"},
    {"url is a number", URL("7"),
	"auth.yaml:4: jwt[0].issuer.url: must be a string, not an "
	"integer"},
    {"url http", URL("http://i.example.com"),
	"auth.yaml:4: jwt[0].issuer.url: \"http://i.example.com\" must "
	"begin"},
    {"url with a user", URL("https://u@i.example.com"),
	"auth.yaml:4: jwt[0].issuer.url: \"https://u@i.example.com\" "
	"must not "
	"contain a user name"},
    {"url with a query", URL("\"https://i.example.com/?a\""),
	"auth.yaml:4: jwt[0].issuer.url: \"https://i.example.com/?a\" "
	"must not "
	"contain a query"},
    {"url with a fragment", URL("\"https://i.example.com/#a\""),
	"auth.yaml:4: jwt[0].issuer.url: \"https://i.example.com/#a\" "
	"must not "
	"contain a fragment"},
    {"url without a host", URL("https:///x"),
	"auth.yaml:4: jwt[0].issuer.url: \"https:///x\" must name a "
	"host"},
    {"url with a line end", URL("\"https://i.example.com\\n\""),
	"auth.yaml:4: jwt[0].issuer.url: must not contain control"},
    {"url with NUL", URL("\"https://i.example.com\\0\""),
	"auth.yaml:4: jwt[0].issuer.url: must not contain NUL"},
    {"discoveryURL of the same address",
	ISSUER("    discoveryURL: https://i.example.com//\n"),
	"auth.yaml:7: jwt[0].issuer.discoveryURL: must differ from "
	"url"},
    {"discoveryURL http", ISSUER("    discoveryURL: http://x\n"),
	"auth.yaml:7: jwt[0].issuer.discoveryURL: \"http://x\" must "
	"begin"},
    {"discoveryURL with a query",
	ISSUER("    discoveryURL: \"https://x/?a\"\n"),
	"auth.yaml:7: jwt[0].issuer.discoveryURL: \"https://x/?a\" "
	"must not"},
    {"audiences missing", AUDIENCES("audienceMatchPolicy: MatchAny"),
	"auth.yaml:4: jwt[0].issuer.audiences: is required"},
    {"audiences empty", AUDIENCES("audiences: []"),
	"auth.yaml:4: jwt[0].issuer.audiences: is required"},
    {"audiences a string", AUDIENCES("audiences: a"),
	"auth.yaml:4: jwt[0].issuer.audiences: must be a list, not a "
	"string"},
    {"an empty audience", AUDIENCES("audiences: [\"\"]"),
	"auth.yaml:4: jwt[0].issuer.audiences[0]: must not be empty"},
    {"an audience null", AUDIENCES("audiences: [~]"),
	"auth.yaml:4: jwt[0].issuer.audiences[0]: must not be empty"},
    {"an audience that is a number", AUDIENCES("audiences: [7]"),
	"auth.yaml:4: jwt[0].issuer.audiences[0]: must be a string"},
    {"a duplicate audience",
	AUDIENCES("audiences: [a, b, a], audienceMatchPolicy: MatchAny"),
	"auth.yaml:4: jwt[0].issuer.audiences[2]: \"a\" is there "
	"twice"},
    {"several audiences without a policy", AUDIENCES("audiences: [a, b]"),
	"auth.yaml:4: jwt[0].issuer.audienceMatchPolicy: must be "
	"MatchAny "
	"where"},
    {"another policy", AUDIENCES("audiences: [a], audienceMatchPolicy: All"),
	"auth.yaml:4: jwt[0].issuer.audienceMatchPolicy: must be "
	"MatchAny or"},
    {"certificateAuthority is a file name",
	ISSUER("    certificateAuthority: /etc/ca.crt\n"),
	"auth.yaml:7: jwt[0].issuer.certificateAuthority: must be the "
	"certificates themselves"},
    {"certificateAuthority is cut short",
	ISSUER("    certificateAuthority: |\n"
	       "      -----BEGIN CERTIFICATE-----\n"
	       "      MIIB\n"),
	"auth.yaml:7: jwt[0].issuer.certificateAuthority: has a "
	"certificate "
	"without its END"},
    {"egressSelectorType", ISSUER("    egressSelectorType: cluster\n"),
	"auth.yaml:7: jwt[0].issuer.egressSelectorType: is not "
	"supported by "
	"this version"},
    {"an egressSelectorType nobody has",
	ISSUER("    egressSelectorType: etcd\n"),
	"auth.yaml:7: jwt[0].issuer.egressSelectorType: must be "
	"absent"},
    {"two entries for one issuer",
	URL("https://i.example.com") "- issuer: {audiences: [a], url: "
				     "https://i.example.com}\n"
				     "  claimMappings:\n" USERNAME,
	"auth.yaml:7: jwt[1].issuer.url: jwt[0] has the same url"},
    {"two entries with one discoveryURL",
	URL("https://i.example.com, discoveryURL: "
	    "https://d.example.com/d") "- issuer: {audiences: [a], "
				       "url: https://j.example.com, "
				       "discoveryURL: "
				       "https://d.example.com/d}\n"
				       "  claimMappings:\n" USERNAME,
	"auth.yaml:7: jwt[1].issuer.discoveryURL: jwt[0] has the same"},
    /* claimMappings */
    {"no mappings",
	HEAD "jwt:\n- issuer: {url: https://i.example.com, audiences: "
	     "[a]}\n",
	"auth.yaml:4: jwt[0].claimMappings.username.claim: is "
	"required"},
    {"no username", MAPPINGS("    groups: {claim: g, prefix: \"\"}\n"),
	"auth.yaml:7: jwt[0].claimMappings.username.claim: is "
	"required"},
    {"an empty claim", MAPPINGS("    username: {claim: \"\", prefix: \"\"}\n"),
	"auth.yaml:8: jwt[0].claimMappings.username.claim: is "
	"required"},
    {"username without prefix", MAPPINGS("    username: {claim: sub}\n"),
	"auth.yaml:8: jwt[0].claimMappings.username.prefix: is "
	"required where "
	"claim is set; \"\" means no prefix"},
    {"username with prefix null",
	MAPPINGS("    username: {claim: sub, prefix: }\n"),
	"auth.yaml:8: jwt[0].claimMappings.username.prefix: is "
	"required"},
    {"groups without prefix",
	MAPPINGS(USERNAME "    groups: {claim: groups}\n"),
	"auth.yaml:9: jwt[0].claimMappings.groups.prefix: is required"},
    {"username by expression",
	MAPPINGS("    username: {expression: claims.sub}\n"),
	"auth.yaml:8: jwt[0].claimMappings.username.expression: is not "
	"supported by this version: CEL expressions are not evaluated; "
	"set "
	"claim and prefix"},
    {"username by both",
	MAPPINGS("    username: {claim: s, expression: c, prefix: \"\"}\n"),
	"auth.yaml:8: jwt[0].claimMappings.username: has claim and "
	"expression\n"
	"auth.yaml:8: jwt[0].claimMappings.username.prefix: must be "
	"absent"},
    {"groups by expression",
	MAPPINGS(USERNAME "    groups: {expression: claims.g}\n"),
	"auth.yaml:9: jwt[0].claimMappings.groups.expression: is not "
	"supported"},
    {"groups by both",
	MAPPINGS(USERNAME "    groups: {claim: g, expression: x}\n"),
	"auth.yaml:9: jwt[0].claimMappings.groups: has claim and "
	"expression\n"
	"auth.yaml:9: jwt[0].claimMappings.groups.prefix: is required"},
    {"uid by both", MAPPINGS(USERNAME "    uid: {claim: a, expression: b}\n"),
	"auth.yaml:9: jwt[0].claimMappings.uid: has claim and "
	"expression"},
    {"uid by expression", MAPPINGS(USERNAME "    uid: {expression: b}\n"),
	"auth.yaml:9: jwt[0].claimMappings.uid.expression: is not supported "
	"by this version: CEL"},
    {"extra", EXTRA("e.example/x", "claims.x"),
	"auth.yaml:9: jwt[0].claimMappings.extra[0].valueExpression: is not "
	"supported by this version: CEL"},
    {"an extra without value", EXTRA("e.example/x", "\"\""),
	"auth.yaml:9: jwt[0].claimMappings.extra[0].valueExpression: is "
	"required"},
    {"an extra without key", EXTRA("\"\"", "\"\""),
	"auth.yaml:9: jwt[0].claimMappings.extra[0].key: is required\n"
	"auth.yaml:9: jwt[0].claimMappings.extra[0].valueExpression:"},
    {"an extra without domain", EXTRA("room", "\"\""),
	"auth.yaml:9: jwt[0].claimMappings.extra[0].key: must be a path "
	"behind a domain, in lower case, such as example.com/room\n"
	"auth.yaml:9: jwt[0].claimMappings.extra[0].valueExpression:"},
    {"an extra without path", EXTRA("e.example/", "\"\""),
	"auth.yaml:9: jwt[0].claimMappings.extra[0].key: must be a path\n"
	"auth.yaml:9: jwt[0].claimMappings.extra[0].valueExpression:"},
    {"an extra in upper case", EXTRA("e.example/Room", "\"\""),
	"auth.yaml:9: jwt[0].claimMappings.extra[0].key: must be a path\n"
	"auth.yaml:9: jwt[0].claimMappings.extra[0].valueExpression:"},
    {"an extra with a brace", EXTRA("\"e.example/{\"", "\"\""),
	"auth.yaml:9: jwt[0].claimMappings.extra[0].key: must be a path\n"
	"auth.yaml:9: jwt[0].claimMappings.extra[0].valueExpression:"},
    {"an extra with NUL", EXTRA("\"e.example/a\\0b\"", "\"\""),
	"auth.yaml:9: jwt[0].claimMappings.extra[0].key: must not contain NUL\n"
	"auth.yaml:9: jwt[0].claimMappings.extra[0].key: is required\n"
	"auth.yaml:9: jwt[0].claimMappings.extra[0].valueExpression:"},
    {"an extra with digits and signs", EXTRA("e.example/0-9/~!", "\"\""),
	"auth.yaml:9: jwt[0].claimMappings.extra[0].valueExpression:"},
    {"an extra of a bad domain", EXTRA("e_.example/room", "\"\""),
	"auth.yaml:9: jwt[0].claimMappings.extra[0].key: must be a path\n"
	"auth.yaml:9: jwt[0].claimMappings.extra[0].valueExpression:"},
    {"an extra with a blank", EXTRA("e.example/a b", "\"\""),
	"auth.yaml:9: jwt[0].claimMappings.extra[0].key: must be a path\n"
	"auth.yaml:9: jwt[0].claimMappings.extra[0].valueExpression:"},
    {"an extra of Kubernetes", EXTRA("k8s.io/room", "\"\""),
	"auth.yaml:9: jwt[0].claimMappings.extra[0].key: must not be below "
	"k8s.io or kubernetes.io\n"
	"auth.yaml:9: jwt[0].claimMappings.extra[0].valueExpression:"},
    {"an extra below Kubernetes", EXTRA("a.kubernetes.io/room", "\"\""),
	"auth.yaml:9: jwt[0].claimMappings.extra[0].key: must not be below\n"
	"auth.yaml:9: jwt[0].claimMappings.extra[0].valueExpression:"},
    {"an extra beside Kubernetes", EXTRA("notk8s.io/room", "\"\""),
	"auth.yaml:9: jwt[0].claimMappings.extra[0].valueExpression:"},
    {"an extra twice",
	MAPPINGS(USERNAME "    extra:\n"
			  "    - {key: e.x/a, valueExpression: x}\n"
			  "    - {key: e.x/a, valueExpression: z}\n"),
	"auth.yaml:10: jwt[0].claimMappings.extra[0].valueExpression:\n"
	"auth.yaml:11: jwt[0].claimMappings.extra[1].key: \"e.x/a\" is there "
	"twice\n"
	"auth.yaml:11: jwt[0].claimMappings.extra[1].valueExpression:"},
    /* rules */
    {"a rule by expression",
	ISSUER("") "  claimValidationRules:\n"
		   "  - {expression: \"true\", message: m}\n",
	"auth.yaml:10: jwt[0].claimValidationRules[0].expression: is "
	"not "
	"supported by this version: CEL"},
    {"a rule by both",
	ISSUER("") "  claimValidationRules: [{claim: a, expression: b}]\n",
	"auth.yaml:9: jwt[0].claimValidationRules[0]: has claim and "
	"expression"},
    {"a rule by neither", ISSUER("") "  claimValidationRules: [{}]\n",
	"auth.yaml:9: jwt[0].claimValidationRules[0]: needs a claim"},
    {"a message beside a claim",
	ISSUER("") "  claimValidationRules: [{claim: a, message: m}]\n",
	"auth.yaml:9: jwt[0].claimValidationRules[0].message: must be "
	"absent"},
    {"a value beside an expression",
	ISSUER("") "  claimValidationRules:\n"
		   "  - {expression: a, requiredValue: v}\n",
	"auth.yaml:10: jwt[0].claimValidationRules[0].expression: is "
	"not\n"
	"auth.yaml:10: jwt[0].claimValidationRules[0].requiredValue: "
	"must be "
	"absent"},
    {"two rules for one claim",
	ISSUER("") "  claimValidationRules: [{claim: a}, {claim: a}]\n",
	"auth.yaml:9: jwt[0].claimValidationRules[1].claim: \"a\" has "
	"a rule"},
    {"a value that is a number",
	ISSUER("") "  claimValidationRules: [{claim: a, requiredValue: "
		   "7}]\n",
	"auth.yaml:9: jwt[0].claimValidationRules[0].requiredValue: "
	"must be a "
	"string, not an integer"},
    {"user rules", ISSUER("") "  userValidationRules: [{expression: x}]\n",
	"auth.yaml:9: jwt[0].userValidationRules[0].expression: is not "
	"supported by this version: CEL"},
    /* what is no mapping, or no list */
    {"issuer is a list", HEAD "jwt:\n- issuer: []\n  claimMappings:\n" USERNAME,
	"auth.yaml:4: jwt[0].issuer: must be a mapping, not a list"},
    {"claimMappings is a string",
	HEAD "jwt:\n- issuer: {url: https://i.example.com, audiences: [a]}\n"
	     "  claimMappings: sub\n",
	"auth.yaml:5: jwt[0].claimMappings: must be a mapping, not a string"},
    {"username is a string", MAPPINGS("    username: sub\n"),
	"auth.yaml:8: jwt[0].claimMappings.username: must be a mapping"},
    {"groups is a list", MAPPINGS(USERNAME "    groups: [groups]\n"),
	"auth.yaml:9: jwt[0].claimMappings.groups: must be a mapping"},
    {"uid is a number", MAPPINGS(USERNAME "    uid: 7\n"),
	"auth.yaml:9: jwt[0].claimMappings.uid: must be a mapping"},
    {"extra is a mapping", MAPPINGS(USERNAME "    extra: {a: b}\n"),
	"auth.yaml:9: jwt[0].claimMappings.extra: must be a list"},
    {"an extra that is a string", MAPPINGS(USERNAME "    extra: [a]\n"),
	"auth.yaml:9: jwt[0].claimMappings.extra[0]: must be a mapping"},
    {"an extra's value is a number", EXTRA("e.example/x", "7"),
	"auth.yaml:9: jwt[0].claimMappings.extra[0].valueExpression: must be "
	"a string"},
    {"an extra without domain's path in full", EXTRA("e.example/x:y", "\"\""),
	"auth.yaml:9: jwt[0].claimMappings.extra[0].valueExpression:"},
    {"two extras, one without key",
	MAPPINGS(USERNAME "    extra:\n"
			  "    - {valueExpression: x}\n"
			  "    - {key: e.x/a, valueExpression: z}\n"),
	"auth.yaml:10: jwt[0].claimMappings.extra[0].key: is required\n"
	"auth.yaml:10: jwt[0].claimMappings.extra[0].valueExpression:\n"
	"auth.yaml:11: jwt[0].claimMappings.extra[1].valueExpression:"},
    {"a rule that is a string", ISSUER("") "  claimValidationRules: [a]\n",
	"auth.yaml:9: jwt[0].claimValidationRules[0]: must be a mapping"},
    {"rules that are a mapping", ISSUER("") "  claimValidationRules: {a: b}\n",
	"auth.yaml:9: jwt[0].claimValidationRules: must be a list"},
    {"three rules, two for one claim",
	ISSUER("") "  claimValidationRules: [{claim: a}, {claim: b}, "
		   "{claim: b}]\n",
	"auth.yaml:9: jwt[0].claimValidationRules[2].claim: \"b\" has"},
    {"a user rule that is a string", ISSUER("") "  userValidationRules: [x]\n",
	"auth.yaml:9: jwt[0].userValidationRules[0]: must be a mapping"},
    {"anonymous is a string", ISSUER("") "anonymous: x\n",
	"auth.yaml:9: anonymous: must be a mapping, not a string"},
    {"a condition that is a string",
	ISSUER("") "anonymous: {enabled: true, conditions: [/livez]}\n",
	"auth.yaml:9: anonymous.conditions[0]: must be a mapping"},
    {"conditions that are a string",
	ISSUER("") "anonymous: {enabled: true, conditions: /livez}\n",
	"auth.yaml:9: anonymous.conditions: must be a list"},
    /* what is too long, or holds what no field may */
    {"a prefix of 257 octets",
	MAPPINGS(
	    "    username: {claim: sub, prefix: \"" A64 A64 A64 A64 "a\"}\n"),
	"auth.yaml:8: jwt[0].claimMappings.username.prefix: must have at "
	"most 256 octets"},
    {"a claim with DEL", MAPPINGS("    uid: {claim: \"a\\x7f\"}\n" USERNAME),
	"auth.yaml:8: jwt[0].claimMappings.uid.claim: must not contain "
	"control"},
    {"another egress", ISSUER("    egressSelectorType: controlplane\n"),
	"auth.yaml:7: jwt[0].issuer.egressSelectorType: is not supported"},
    {"jwt missing, something else wrong", HEAD "anonymous: 7\n",
	"auth.yaml:1: warning: jwt: is empty\n"
	"auth.yaml:3: anonymous: must be a mapping, not an integer"},
    {"three issuers, two alike",
	URL("https://i.example.com") "- issuer: {audiences: [a], url: "
				     "https://j.example.com}\n"
				     "  claimMappings:\n" USERNAME
				     "- issuer: {audiences: [a], url: "
				     "https://j.example.com}\n"
				     "  claimMappings:\n" USERNAME,
	"auth.yaml:10: jwt[2].issuer.url: jwt[1] has the same url"},
    /* anonymous */
    {"a path that is none",
	ISSUER("") "anonymous: {enabled: true, conditions: [{path: x}]}\n",
	"auth.yaml:9: anonymous.conditions[0].path: must be a path such as "
	"/livez"},
    {"a condition without path",
	ISSUER("") "anonymous: {enabled: true, conditions: [{}]}\n",
	"auth.yaml:9: anonymous.conditions[0].path: must be a path"},
    {"a condition of another kind",
	ISSUER("") "anonymous: {enabled: true, conditions: [{paths: /x}]}\n",
	"auth.yaml:9: anonymous.conditions[0].paths: is no field here\n"
	"auth.yaml:9: anonymous.conditions[0].path: must be a path"},
    {"conditions though it is off",
	ISSUER("") "anonymous: {enabled: false, conditions: [{path: "
		   "/x}]}\n",
	"auth.yaml:9: anonymous.conditions: is allowed only where"},
    {"anonymous is a word", ISSUER("") "anonymous: {enabled: \"no\"}\n",
	"auth.yaml:9: anonymous.enabled: must be true or false"},
    {"several mistakes at once",
	HEAD "jwt:\n"
	     "- issuer: {url: http://x, audiences: []}\n"
	     "  claimMappings: {username: {claim: sub}}\n"
	     "- issuer: {url: https://y, audiences: [a, b]}\n"
	     "  claimMappings: {username: {expression: x}}\n",
	"auth.yaml:4: jwt[0].issuer.url: \"http://x\" must begin\n"
	"auth.yaml:4: jwt[0].issuer.audiences: is required\n"
	"auth.yaml:5: jwt[0].claimMappings.username.prefix: is "
	"required\n"
	"auth.yaml:6: jwt[1].issuer.audienceMatchPolicy: must be "
	"MatchAny\n"
	"auth.yaml:7: jwt[1].claimMappings.username.expression: is "
	"not"},
};

static void
check_mistake(void **state)
{
	const struct mistake *m = *state;
	struct slice want = slice_of(m->reports), said, line, begins;
	struct issuers *i = NULL;
	struct errinfo err = {0};
	bool done = false, said_done = false;

	assert_status(issuers_parse(&options, slice_of(m->text), &i, &err),
	    STATUS_MALFORMED);
	assert_null(i);
	said = buf_slice(&err.text);
	while (slice_split(&want, '\n', &done, &begins)) {
		assert_true(slice_split(&said, '\n', &said_done, &line));
		if (!slice_starts(line, begins))
			assert_slices(line, begins);
	}
	assert_slice(said, ""); /* the last line end is behind us */
	errinfo_release(&err);
}

/* --- what loads --- */

static struct issuers *
parse(const char *text)
{
	struct errinfo err = {0};
	struct issuers *i = NULL;
	enum status st = issuers_parse(&options, slice_of(text), &i, &err);

	if (st != STATUS_OK)
		print_error("%.*s", SLICE_ARG(buf_slice(&err.text)));
	assert_ok(st);
	errinfo_release(&err);
	return i;
}

static void
put_every_field(struct buf *text, struct slice ca)
{
	struct slice line;
	bool done = false;

	buf_puts(text,
	    "apiVersion: apiserver.config.k8s.io/v1beta1\n"
	    "kind: AuthenticationConfiguration\n"
	    "jwt:\n"
	    "- issuer:\n"
	    "    url: https://i.example.com/tenant/\n"
	    "    discoveryURL: https://d.example.com:8443/d\n"
	    "    audiences: [a, b]\n"
	    "    audienceMatchPolicy: MatchAny\n"
	    "    egressSelectorType: \"\"\n"
	    "    certificateAuthority: |\n");
	while (slice_split(&ca, '\n', &done, &line))
		buf_putf(text, "      %.*s\n", SLICE_ARG(line));
	buf_puts(text,
	    "  claimMappings:\n"
	    "    username: {claim: sub, prefix: \"p:\"}\n"
	    "    groups: {claim: roles, prefix: \"g:\"}\n"
	    "    uid: {claim: oid}\n"
	    "    extra: []\n"
	    "  claimValidationRules:\n"
	    "  - {claim: hd, requiredValue: example.com}\n"
	    "  - {claim: x}\n"
	    "  userValidationRules: []\n"
	    "anonymous: {enabled: true, conditions: [{path: /livez}]}\n");
	buf_putc(text, '\0');
}

static void
check_every_field(const struct issuer *i, struct slice ca)
{
	assert_slice(i->url, "https://i.example.com/tenant/");
	assert_int_equal(i->audience_count, 2);
	assert_slice(i->audiences[1], "b");
	assert_slices(i->ca_pem, ca);
	assert_slice(i->username_claim, "sub");
	assert_slice(i->username_prefix, "p:");
	assert_slice(i->uid_claim, "oid");
	assert_slice(i->groups_claim, "roles");
	assert_slice(i->groups_prefix, "g:");
	assert_int_equal(i->rule_count, 2);
	assert_slice(i->rules[0].claim, "hd");
	assert_slice(i->rules[0].required_value, "example.com");
	assert_slice(i->rules[1].required_value, "");
	assert_int_equal(i->line, 4);
}

static void
test_every_field(void **state)
{
	struct issuers *i;
	struct buf text, ca;

	(void)state;
	buf_init(&ca, 1 << 16);
	assert_ok(
	    file_read("tests/vectors/authn/keys/throw-away-ca.pem", &ca, NULL));
	buf_init(&text, 1 << 16);
	put_every_field(&text, buf_slice(&ca));
	i = parse(text.data);
	assert_int_equal(i->count, 1);
	assert_int_equal(i->algorithms, BIT(JWS_RS256) | BIT(JWS_ES256));
	assert_int_equal(i->nbf_skew_s, 60);
	assert_int_equal(i->exp_skew_s, 0);
	assert_true(i->has_anonymous);
	assert_true(i->anonymous.enabled);
	assert_int_equal(i->anonymous.path_count, 1);
	assert_string_equal(i->anonymous.paths[0], "/livez");
	check_every_field(&i->list[0], buf_slice(&ca));
	assert_string_equal(issuers_discovery_url(i, 0),
	    "https://d.example.com:8443/d");
	assert_ptr_equal(issuers_ref(i), i);
	issuers_unref(i);
	issuers_unref(i);
	issuers_unref(NULL);
	buf_release(&text);
	buf_release(&ca);
}

/* JSON is YAML; OpenID Connect Discovery 1.0 4: a final slash goes. */
static void
test_json_and_defaults(void **state)
{
	struct issuers *i =
	    parse("{\"apiVersion\":\"apiserver.config.k8s.io/v1alpha1\","
		  "\"kind\":\"AuthenticationConfiguration\",\"jwt\":["
		  "{\"issuer\":{\"url\":\"https://a.example.com\","
		  "\"audiences\":[\"a\"]},\"claimMappings\":{\"username\":"
		  "{\"claim\":\"sub\",\"prefix\":\"\"}}},"
		  "{\"issuer\":{\"url\":\"https://b.example.com/x/\","
		  "\"audiences\":[\"a\"],\"audienceMatchPolicy\":\"MatchAny\"},"
		  "\"claimMappings\":{\"username\":"
		  "{\"claim\":\"sub\",\"prefix\":\"\"}}}]}");

	(void)state;
	assert_int_equal(i->count, 2);
	assert_string_equal(issuers_discovery_url(i, 0),
	    "https://a.example.com/.well-known/openid-configuration");
	assert_string_equal(issuers_discovery_url(i, 1),
	    "https://b.example.com/x/.well-known/openid-configuration");
	assert_int_equal(i->list[0].groups_claim.n, 0);
	assert_int_equal(i->list[0].rule_count, 0);
	assert_int_equal(i->list[0].ca_pem.n, 0);
	/* spec: T-76 */
	assert_int_equal(issuers_find(i, SLICE("https://b.example.com/x/")), 1);
	assert_int_equal(issuers_find(i, SLICE("https://b.example.com/x")), 2);
	assert_int_equal(issuers_find(i, SLICE("https://A.example.com")), 2);
	assert_int_equal(issuers_find(i, SLICE_EMPTY), 2);
	issuers_unref(i);
}

static void
test_64_issuers(void **state)
{
	struct issuers *i = NULL;
	struct errinfo err = {0};
	struct buf text;

	(void)state;
	for (int count = ISSUERS_MAX; count <= ISSUERS_MAX + 1; count++) {
		buf_init(&text, 1 << 20);
		buf_puts(&text, HEAD "jwt:\n");
		for (int n = 0; n < count; n++)
			buf_putf(&text,
			    "- issuer: {url: https://i%d.example.com, "
			    "audiences: [a]}\n"
			    "  claimMappings:\n" USERNAME,
			    n);
		assert_status(
		    issuers_parse(&options, buf_slice(&text), &i, &err),
		    count == ISSUERS_MAX ? STATUS_OK : STATUS_MALFORMED);
		buf_release(&text);
	}
	assert_int_equal(i->count, ISSUERS_MAX);
	assert_true(
	    slice_contains(buf_slice(&err.text), SLICE("jwt: has 65 entries")));
	issuers_unref(i);
	errinfo_release(&err);
}

static void
test_options(void **state)
{
	static const char *const bad[] = {"RS256", "HS256"};
	struct issuers_options o = options;
	struct issuers *i = NULL;
	struct errinfo err = {0};

	(void)state;
	o.algorithms = bad;
	assert_status(issuers_parse(&o, SLICE(ISSUER("")), &i, &err),
	    STATUS_MALFORMED);
	assert_true(slice_contains(buf_slice(&err.text), SLICE("HS256")));
	errinfo_release(&err);
	o = (struct issuers_options){.path = "auth.yaml"};
	assert_ok(issuers_parse(&o, SLICE(ISSUER("")), &i, &err));
	assert_int_equal(i->algorithms, 0); /* nothing was allowed */
	issuers_unref(i);
	o.path = "tests/vectors/authn/nowhere.yaml";
	assert_status(issuers_load(&o, &i, &err), STATUS_IO);
	errinfo_release(&err);
	/* Nobody listens: the outcome alone must do. */
	assert_status(issuers_parse(&options, SLICE("[]"), &i, NULL),
	    STATUS_MALFORMED);
}

/* spec: T-55 */
static void
test_reserved_names(void **state)
{
	struct issuers *i = parse(ISSUER(""));

	(void)state;
	assert_true(issuers_may_name(i, SLICE("jane")));
	assert_true(issuers_may_name(i, SLICE("system")));
	assert_true(issuers_may_name(i, SLICE("system:robot")));
	assert_false(issuers_may_name(i, SLICE("system:robots")));
	assert_false(issuers_may_name(i, SLICE("system:")));
	assert_false(issuers_may_name(i, SLICE("system:admin")));
	assert_true(issuers_may_group(i, SLICE("dev")));
	assert_true(issuers_may_group(i, SLICE("system:robots")));
	assert_false(issuers_may_group(i, SLICE("system:robot")));
	assert_false(issuers_may_group(i, SLICE("system:masters")));
	assert_false(issuers_may_group(i, SLICE("system:authenticated")));
	issuers_unref(i);
}

/* --- discovery documents --- */

#define OURS "\"issuer\":\"https://i.example.com\""

static struct discovery {
	const char *name;
	const char *json;
	const char *jwks_uri; /* NULL: refused */
} discoveries[] = {
    {"on the issuer's host",
	"{" OURS ",\"jwks_uri\":\"https://i.example.com/keys\"}",
	"https://i.example.com/keys"},
    {"hosts have no case, ports are free, a query may be",
	"{" OURS ",\"jwks_uri\":\"https://I.EXAMPLE.com:8443/keys?appid=1\"}",
	"https://I.EXAMPLE.com:8443/keys?appid=1"},
    {"on the discovery document's host",
	"{" OURS ",\"jwks_uri\":\"https://d.example.com/keys\"}",
	"https://d.example.com/keys"},
    {"on one of keyHosts",
	"{" OURS ",\"jwks_uri\":\"https://keys.example.net/keys\"}",
	"https://keys.example.net/keys"},
    {"more members",
	"{" OURS ",\"jwks_uri\":\"https://i.example.com/k\",\"x\":[1,{}]}\n",
	"https://i.example.com/k"},
    {"T-84 on another host",
	"{" OURS ",\"jwks_uri\":\"https://evil.example.org/keys\"}", NULL},
    {"T-84 a host below",
	"{" OURS ",\"jwks_uri\":\"https://x.i.example.com/keys\"}", NULL},
    {"T-84 a host that ends alike",
	"{" OURS ",\"jwks_uri\":\"https://evili.example.com/keys\"}", NULL},
    {"T-84 the host as a user name",
	"{" OURS ",\"jwks_uri\":\"https://i.example.com@evil.org/k\"}", NULL},
    {"T-84 the host before a backslash",
	"{" OURS ",\"jwks_uri\":\"https://evil.org\\\\@i.example.com/k\"}",
	NULL},
    {"T-84 http", "{" OURS ",\"jwks_uri\":\"http://i.example.com/keys\"}",
	NULL},
    {"T-84 a file", "{" OURS ",\"jwks_uri\":\"file:///etc/keys\"}", NULL},
    {"T-84 a loopback address",
	"{" OURS ",\"jwks_uri\":\"https://127.0.0.1/\"}", NULL},
    {"a fragment", "{" OURS ",\"jwks_uri\":\"https://i.example.com/k#f\"}",
	NULL},
    {"a line end",
	"{" OURS ",\"jwks_uri\":\"https://i.example.com/k\\r\\nX: y\"}", NULL},
    {"no jwks_uri", "{" OURS "}", NULL},
    {"a jwks_uri that is a list", "{" OURS ",\"jwks_uri\":[]}", NULL},
    {"another issuer",
	"{\"issuer\":\"https://i.example.com/\","
	"\"jwks_uri\":\"https://i.example.com/keys\"}",
	NULL},
    {"no issuer", "{\"jwks_uri\":\"https://i.example.com/keys\"}", NULL},
    {"T-73 a duplicate",
	"{" OURS "," OURS ",\"jwks_uri\":\"https://i.example.com/k\"}", NULL},
    {"no JSON", "<html>", NULL},
    {"nothing", "", NULL},
};

/* spec: OpenID Connect Discovery 1.0 4.3 */
static void
check_discovery(void **state)
{
	const struct discovery *d = *state;
	struct issuers *i =
	    parse(ISSUER("    discoveryURL: https://d.example.com/d\n"));
	struct errinfo err = {0};
	char *uri = NULL;
	enum status st =
	    issuers_read_discovery(i, 0, slice_of(d->json), &uri, &err);

	if (d->jwks_uri != NULL) {
		assert_ok(st);
		assert_string_equal(uri, d->jwks_uri);
		assert_int_equal(err.errors, 0);
	} else {
		assert_status(st, STATUS_MALFORMED);
		assert_null(uri);
		assert_int_equal(err.errors, 1);
	}
	free(uri);
	errinfo_release(&err);
	issuers_unref(i);
}

int
main(void)
{
	struct rows rows = {0};

	ROWS_ADD_TABLE(&rows, mistakes, check_mistake);
	rows_add(&rows, "every field", test_every_field, NULL);
	rows_add(&rows, "JSON, and what is absent", test_json_and_defaults,
	    NULL);
	rows_add(&rows, "64 issuers, not 65", test_64_issuers, NULL);
	rows_add(&rows, "options", test_options, NULL);
	rows_add(&rows, "reserved names", test_reserved_names, NULL);
	ROWS_ADD_TABLE(&rows, discoveries, check_discovery);
	return rows_run(&rows, "issuers");
}
