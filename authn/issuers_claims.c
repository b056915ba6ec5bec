/*
 * issuers_claims.c - claimMappings and the rules: what a token must say.
 *
 * CEL expressions are refused: a rule that is not evaluated would not hold.
 */
#include "authn/extra_key.h"
#include "authn/issuers_fields.h"
#include "base/dns.h"

static const char no_cel[] =
    "is not supported by this version: CEL expressions are not evaluated";

/* username or groups: a claim, and a prefix that is written even if empty. */
static void
load_mapping(struct load *l, const struct field *f, bool required,
    struct slice *claim, struct slice *prefix)
{
	static const char *const known[] = {"claim", "prefix", "expression"};
	struct field c = field_member(f, "claim");
	struct field p = field_member(f, "prefix");
	struct field e = field_member(f, "expression");
	bool has_expression;

	if (!FIELD_IS_MAP(l, f, known))
		return;
	*claim = field_text(l, &c);
	*prefix = field_text(l, &p);
	has_expression = field_lines(l, &e).n != 0;
	if (has_expression && claim->n != 0)
		field_bad(l, f,
		    "has claim and expression; only one may be set");
	else if (has_expression)
		field_bad(l, &e, "%s; set claim and prefix", no_cel);
	if (has_expression && p.node != NULL)
		field_bad(l, &p, "must be absent where expression is set");
	if (required && !has_expression && claim->n == 0)
		field_bad(l, &c, "is required: the claim with the user's name");
	if (claim->n != 0 && p.node == NULL)
		field_bad(l, &p,
		    "is required where claim is set; \"\" means "
		    "no prefix");
	if (prefix->n > 256)
		field_bad(l, &p, "must have at most 256 octets");
}

/* An empty mapping counts as none. */
static void
load_uid(struct load *l, const struct field *mappings, struct issuer *to)
{
	static const char *const known[] = {"claim", "expression"};
	struct field f = field_member(mappings, "uid");
	struct field c = field_member(&f, "claim");
	struct field e = field_member(&f, "expression");
	bool has_expression;

	if (!FIELD_IS_MAP(l, &f, known))
		return;
	to->uid_claim = field_text(l, &c);
	has_expression = field_lines(l, &e).n != 0;
	if (has_expression && to->uid_claim.n != 0)
		field_bad(l, &f,
		    "has claim and expression; only one may be set");
	else if (has_expression)
		field_bad(l, &e, "%s; set claim", no_cel);
}

/* NULL, or what is wrong with the key of an extra. */
static const char *
extra_key_fault(struct slice key)
{
	struct slice domain = slice_first(key, slice_index(key, '/'));

	if (key.n == 0)
		return "is required";
	if (!extra_key_is_domain_prefixed_path(key))
		return "must be a path behind a domain, in lower case, such "
		       "as example.com/room";
	if (dns_is_within(domain, SLICE("k8s.io")) ||
	    dns_is_within(domain, SLICE("kubernetes.io")))
		return "must not be below k8s.io or kubernetes.io, which are "
		       "Kubernetes' own";
	return NULL;
}

/* Element i of the list; the key must be good, and of no element before. */
static void
check_extra_key(struct load *l, const struct field *list, size_t i)
{
	struct field one = field_element(list, i);
	struct field f = field_member(&one, "key");
	struct slice key = field_text(l, &f);
	const char *fault = extra_key_fault(key);

	if (fault != NULL)
		field_bad(l, &f, "%s", fault);
	for (size_t k = 0; k < i && fault == NULL; k++) {
		struct field other = field_element(list, k);

		other = field_member(&other, "key");
		if (other.node != NULL && slice_eq(other.node->text, key))
			field_bad(l, &f, "\"%.*s\" is there twice",
			    SLICE_ARG(key));
	}
}

/* All values are expressions, so none can be had; keys are judged as well. */
static void
check_extra(struct load *l, const struct field *mappings)
{
	static const char *const known[] = {"key", "valueExpression"};
	struct field f = field_member(mappings, "extra");
	size_t count = field_count(l, &f);

	for (size_t i = 0; i < count; i++) {
		struct field one = field_element(&f, i);
		struct field value = field_member(&one, "valueExpression");

		if (!FIELD_IS_MAP(l, &one, known))
			continue;
		check_extra_key(l, &f, i);
		if (field_lines(l, &value).n != 0)
			field_bad(l, &value, "%s", no_cel);
		else if (value.node == NULL || value.node->kind == NODE_STRING)
			field_bad(l, &value, "is required");
	}
}

static void
load_mappings(struct load *l, const struct field *jwt, struct issuer *to)
{
	static const char *const known[] = {"username", "groups", "uid",
	    "extra"};
	struct field f = field_member(jwt, "claimMappings");
	struct field username = field_member(&f, "username");
	struct field groups = field_member(&f, "groups");

	if (!FIELD_IS_MAP(l, &f, known))
		return;
	load_mapping(l, &username, true, &to->username_claim,
	    &to->username_prefix);
	load_mapping(l, &groups, false, &to->groups_claim, &to->groups_prefix);
	load_uid(l, &f, to);
	check_extra(l, &f);
}

/* One claim, and its value; absent means "". */
static void
load_rule(struct load *l, const struct field *f, struct claim_rule *to)
{
	static const char *const known[] = {"claim", "requiredValue",
	    "expression", "message"};
	struct field c = field_member(f, "claim");
	struct field v = field_member(f, "requiredValue");
	struct field e = field_member(f, "expression");
	struct field m = field_member(f, "message");
	bool has_expression, has_message;

	if (!FIELD_IS_MAP(l, f, known))
		return;
	to->claim = field_text(l, &c);
	to->required_value = field_text(l, &v);
	has_expression = field_lines(l, &e).n != 0;
	has_message = field_lines(l, &m).n != 0;
	if (to->claim.n != 0 && has_expression)
		field_bad(l, f,
		    "has claim and expression; only one may be set");
	else if (has_expression)
		field_bad(l, &e, "%s; set claim and requiredValue", no_cel);
	else if (to->claim.n == 0)
		field_bad(l, f, "needs a claim");
	if (has_message && to->claim.n != 0)
		field_bad(l, &m, "must be absent where claim is set");
	if (to->required_value.n != 0 && has_expression)
		field_bad(l, &v, "must be absent where expression is set");
}

static void
load_rules(struct load *l, const struct field *jwt, struct issuer *to)
{
	struct field f = field_member(jwt, "claimValidationRules");
	size_t count = field_count(l, &f);
	struct claim_rule *rules = field_room(l, count, sizeof(*rules));

	if (rules == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		struct field one = field_element(&f, i);
		struct field c = field_member(&one, "claim");

		load_rule(l, &one, &rules[i]);
		for (size_t k = 0; k < i && rules[i].claim.n != 0; k++) {
			if (slice_eq(rules[k].claim, rules[i].claim))
				field_bad(l, &c, "\"%.*s\" has a rule already",
				    SLICE_ARG(rules[i].claim));
		}
	}
	to->rules = rules;
	to->rule_count = count;
}

static void
check_user_rules(struct load *l, const struct field *jwt)
{
	static const char *const known[] = {"expression", "message"};
	struct field f = field_member(jwt, "userValidationRules");
	size_t count = field_count(l, &f);

	for (size_t i = 0; i < count; i++) {
		struct field one = field_element(&f, i);
		struct field e = field_member(&one, "expression");

		if (FIELD_IS_MAP(l, &one, known))
			field_bad(l, &e, "%s", no_cel);
	}
}

void
issuers_load_claims(struct load *l, const struct field *jwt, struct issuer *to)
{
	load_mappings(l, jwt, to);
	load_rules(l, jwt, to);
	check_user_rules(l, jwt);
}
