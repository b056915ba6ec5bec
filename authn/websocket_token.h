/*
 * websocket_token.h - the token among the subprotocols of a WebSocket.
 *
 * Browsers cannot set Authorization on a WebSocket, so Kubernetes takes the
 * token as a subprotocol: base64url.bearer.authorization.k8s.io.TOKEN, TOKEN
 * in unpadded base64url, beside at least one other protocol (spec: T-54;
 * kubernetes/apiserver pkg/authentication/request/websocket/protocol.go).
 */
#ifndef AUTHN_WEBSOCKET_TOKEN_H
#define AUTHN_WEBSOCKET_TOKEN_H

#include "authn/bearer.h"

/* True for a protocol that holds a token, or looks like it: in any case. */
bool websocket_token_is(struct slice protocol);

/* How much room a decoded token of these fields may need. */
size_t websocket_token_room(const struct headers *h);

/*
 * Of a request that asks for a WebSocket.  The token lies in scratch, of
 * websocket_token_room(h) octets.  BEARER_BAD: two of them, none beside it,
 * not exactly in that form.
 */
enum bearer websocket_token_find(const struct headers *h, char *scratch,
    struct slice *token);

#endif
