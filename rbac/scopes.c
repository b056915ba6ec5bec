/*
 * scopes.c - the cluster-scoped resources of Kubernetes' own API groups.
 */
#include "rbac/scopes.h"

/* kubernetes/api, the types with +genclient:nonNamespaced. */
static const struct {
	struct slice group, resource;
} cluster_scoped[] = {
    /* clang-format off */
	{ SLICE_INIT(""), SLICE_INIT("componentstatuses") },
	{ SLICE_INIT(""), SLICE_INIT("namespaces") },
	{ SLICE_INIT(""), SLICE_INIT("nodes") },
	{ SLICE_INIT(""), SLICE_INIT("persistentvolumes") },
	{ SLICE_INIT("admissionregistration.k8s.io"),
	    SLICE_INIT("mutatingadmissionpolicies") },
	{ SLICE_INIT("admissionregistration.k8s.io"),
	    SLICE_INIT("mutatingadmissionpolicybindings") },
	{ SLICE_INIT("admissionregistration.k8s.io"),
	    SLICE_INIT("mutatingwebhookconfigurations") },
	{ SLICE_INIT("admissionregistration.k8s.io"),
	    SLICE_INIT("validatingadmissionpolicies") },
	{ SLICE_INIT("admissionregistration.k8s.io"),
	    SLICE_INIT("validatingadmissionpolicybindings") },
	{ SLICE_INIT("admissionregistration.k8s.io"),
	    SLICE_INIT("validatingwebhookconfigurations") },
	{ SLICE_INIT("apiextensions.k8s.io"),
	    SLICE_INIT("customresourcedefinitions") },
	{ SLICE_INIT("apiregistration.k8s.io"), SLICE_INIT("apiservices") },
	{ SLICE_INIT("authentication.k8s.io"),
	    SLICE_INIT("selfsubjectreviews") },
	{ SLICE_INIT("authentication.k8s.io"), SLICE_INIT("tokenreviews") },
	{ SLICE_INIT("authorization.k8s.io"),
	    SLICE_INIT("selfsubjectaccessreviews") },
	{ SLICE_INIT("authorization.k8s.io"),
	    SLICE_INIT("selfsubjectrulesreviews") },
	{ SLICE_INIT("authorization.k8s.io"),
	    SLICE_INIT("subjectaccessreviews") },
	{ SLICE_INIT("certificates.k8s.io"),
	    SLICE_INIT("certificatesigningrequests") },
	{ SLICE_INIT("certificates.k8s.io"),
	    SLICE_INIT("clustertrustbundles") },
	{ SLICE_INIT("flowcontrol.apiserver.k8s.io"),
	    SLICE_INIT("flowschemas") },
	{ SLICE_INIT("flowcontrol.apiserver.k8s.io"),
	    SLICE_INIT("prioritylevelconfigurations") },
	{ SLICE_INIT("metrics.k8s.io"), SLICE_INIT("nodes") },
	{ SLICE_INIT("networking.k8s.io"), SLICE_INIT("ingressclasses") },
	{ SLICE_INIT("networking.k8s.io"), SLICE_INIT("ipaddresses") },
	{ SLICE_INIT("networking.k8s.io"), SLICE_INIT("servicecidrs") },
	{ SLICE_INIT("node.k8s.io"), SLICE_INIT("runtimeclasses") },
	{ SLICE_INIT("rbac.authorization.k8s.io"),
	    SLICE_INIT("clusterrolebindings") },
	{ SLICE_INIT("rbac.authorization.k8s.io"), SLICE_INIT("clusterroles") },
	{ SLICE_INIT("resource.k8s.io"), SLICE_INIT("deviceclasses") },
	{ SLICE_INIT("resource.k8s.io"), SLICE_INIT("resourceslices") },
	{ SLICE_INIT("scheduling.k8s.io"), SLICE_INIT("priorityclasses") },
	{ SLICE_INIT("storage.k8s.io"), SLICE_INIT("csidrivers") },
	{ SLICE_INIT("storage.k8s.io"), SLICE_INIT("csinodes") },
	{ SLICE_INIT("storage.k8s.io"), SLICE_INIT("storageclasses") },
	{ SLICE_INIT("storage.k8s.io"), SLICE_INIT("volumeattachments") },
	{ SLICE_INIT("storage.k8s.io"), SLICE_INIT("volumeattributesclasses") },
    /* clang-format on */
};

bool
scope_is_cluster(struct slice api_group, struct slice resource)
{
	for (size_t i = 0; i < COUNT_OF(cluster_scoped); i++) {
		if (slice_eq(cluster_scoped[i].group, api_group) &&
		    slice_eq(cluster_scoped[i].resource, resource))
			return true;
	}
	return false;
}
