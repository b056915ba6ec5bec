/*
 * entra.c - authentication.entra: tenants of Entra ID.
 */
#include <string.h>

#include "config/cluster.h"

enum {
	TENANTS_MAX = 32
};

/* The server application of AKS, which is the same in every cloud. */
#define AKS_SERVER "6dae42f8-4368-4678-94ff-3960e28e3630"

/* RFC 9562 4, and as Entra ID writes it in tokens. */
static bool
is_lower_guid(const char *s)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(s) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; form[i] != '\0'; i++) {
		bool hex = (s[i] >= '0' && s[i] <= '9') ||
		    (s[i] >= 'a' && s[i] <= 'f');

		if (form[i] == '-' ? s[i] != '-' : !hex)
			return false;
	}
	return true;
}

static void
check_tenants(struct reader *r, const struct place *p,
    const struct config_strings *tenants)
{
	if (tenants->count > TENANTS_MAX)
		read_error(r, p, "has %zu tenants, at most %d are allowed",
		    tenants->count, TENANTS_MAX);
	for (size_t i = 0; i < tenants->count; i++) {
		if (!is_lower_guid(tenants->list[i]))
			read_error(r, p,
			    "\"%s\" must be a GUID in lower case, such as "
			    "00000000-0000-0000-0000-000000000001",
			    tenants->list[i]);
		for (size_t k = 0; k < i; k++) {
			if (strcmp(tenants->list[k], tenants->list[i]) == 0)
				read_error(r, p, "\"%s\" is there twice",
				    tenants->list[i]);
		}
	}
}

static struct config_strings
read_tenants(struct reader *r, const struct place *entra)
{
	struct place one = place_field(r, entra, "tenantID");
	struct place several = place_field(r, entra, "tenantIDs");
	struct config_strings tenants = read_strings(r, &several, read_string);
	const char **list;

	if (place_is_absent(&one) == place_is_absent(&several)) {
		read_error(r, entra,
		    "needs tenantID, or tenantIDs where there are several");
		return tenants;
	}
	if (!place_is_absent(&several)) {
		if (tenants.count == 0)
			read_error(r, &several, "must not be empty");
		check_tenants(r, &several, &tenants);
		return tenants;
	}
	list = read_alloc(r, 1, sizeof(*list));
	if (list == NULL)
		return tenants;
	list[0] = read_string(r, &one);
	tenants = (struct config_strings){list, NULL, list[0] != NULL};
	check_tenants(r, &one, &tenants);
	return tenants;
}

static struct config_strings
read_audiences(struct reader *r, const struct place *entra)
{
	static const char *const initial[] = {AKS_SERVER};
	struct place p = place_field(r, entra, "audiences");

	if (place_is_absent(&p))
		return (struct config_strings){initial, NULL, 1};
	if (p.node->kind == NODE_LIST && p.node->count == 0)
		read_error(r, &p, "must not be empty");
	return read_strings(r, &p, read_string);
}

static const struct config_group_lookup *
read_lookup(struct reader *r, const struct place *p)
{
	struct config_group_lookup *l;
	struct place f;

	if (place_is_absent(p) || !read_map(r, p))
		return NULL;
	l = read_alloc(r, 1, sizeof(*l));
	if (l == NULL)
		return NULL;
	f = place_field(r, p, "clientID");
	l->client_id = read_string(r, &f);
	if (l->client_id != NULL && !is_lower_guid(l->client_id))
		read_error(r, &f,
		    "\"%s\" must be the application's id, a GUID in lower "
		    "case, such as 00000000-0000-0000-0000-000000000001",
		    l->client_id);
	f = place_field(r, p, "secretFile");
	l->secret_file = read_path(r, &f);
	f = place_field(r, p, "timeout");
	l->timeout_ms = read_duration_ms(r, &f);
	l->line = p->line;
	return l;
}

/*
 * One line of visible ASCII, which is compared in any case; kubelogin takes it
 * as one of a list of NAME=VALUE.
 */
static bool
is_pop_host(const char *s)
{
	while (*s > ' ' && *s < 0x7f && strchr(",=\"\\", *s) == NULL)
		s++;
	return *s == '\0';
}

static void
read_pop(struct reader *r, const struct place *entra, struct config_entra *e)
{
	struct place p = place_field(r, entra, "proofOfPossession");
	struct place f;

	if (place_is_absent(&p) || !read_map(r, &p))
		return;
	e->pop_line = p.line;
	f = place_field(r, &p, "host");
	e->pop_host = read_string(r, &f);
	if (e->pop_host != NULL && !is_pop_host(e->pop_host))
		read_error(r, &f,
		    "must be an ARM id or a host name, without blanks, commas, "
		    "equal signs, quotes and backslashes");
	f = place_field(r, &p, "required");
	e->pop_required = read_bool(r, &f);
	f = place_field(r, &p, "addressPools");
	e->pop_pools = read_strings(r, &f, read_string);
}

void
check_proofs(struct reader *r, const struct place *cluster,
    const struct config *c, const struct config_cluster *own)
{
	struct place p, f;

	if (own->entra == NULL || own->entra->pop_line == 0)
		return;
	p = place_field(r, cluster, "authentication");
	p = place_field(r, &p, "entra");
	p = place_field(r, &p, "proofOfPossession");
	/* What was signed for the gateway says nothing to the API server. */
	if (own->identity == IDENTITY_PASSTHROUGH)
		read_error(r, &p,
		    "needs identity: impersonate or requestHeader: with "
		    "passthrough the API server would get a token that was "
		    "signed for the gateway");
	f = place_field(r, &p, "addressPools");
	for (size_t i = 0; i < own->entra->pop_pools.count; i++) {
		if (find_network(c, own->entra->pop_pools.list[i]) == NULL)
			read_error(r, &f,
			    "\"%s\" is no network; name it under networks",
			    own->entra->pop_pools.list[i]);
	}
}

const struct config_entra *
read_entra(struct reader *r, const struct place *p)
{
	static const char *const clouds[] = {"public", "usGovernment", "china"};
	struct config_entra *e;
	struct place f;

	if (place_is_absent(p) || !read_map(r, p))
		return NULL;
	e = read_alloc(r, 1, sizeof(*e));
	if (e == NULL)
		return NULL;
	f = place_field(r, p, "cloud");
	e->cloud = clouds[read_word(r, &f, clouds, COUNT_OF(clouds))];
	e->tenants = read_tenants(r, p);
	e->audiences = read_audiences(r, p);
	f = place_field(r, p, "groupLookup");
	e->lookup = read_lookup(r, &f);
	read_pop(r, p, e);
	e->line = p->line;
	return e;
}
