/*
 * tls_conn.h - one TLS connection over buffers, either side; no descriptor.
 *
 * The owner feeds ciphertext by tls_conn_feed and takes ciphertext to send
 * from the buf it gave.  One call does what it can and never waits.  After
 * TLS_ERROR or TLS_EOF only tls_conn_close, _free and the getters may be
 * called.  Used by one thread at a time.
 */
#ifndef TLS_TLS_CONN_H
#define TLS_TLS_CONN_H

#include "base/buf.h"
#include "tls/tls_ctx.h"

enum tls_result {
	TLS_DONE,
	TLS_WANT_READ,  /* all input is used up: feed more */
	TLS_WANT_WRITE, /* the output buf is full: send, then call again */
	TLS_HELLO,      /* server, once: the ClientHello has been read */
	TLS_EOF,        /* the peer closed in order (close_notify) */
	TLS_ERROR,
};

struct tls_conn;

/*
 * out: where ciphertext is appended; the owner's, outlives the connection and
 * may be given another storage between calls.  NULL: no memory.  Keeps a
 * reference to its settings.
 */
struct tls_conn *tls_conn_new_server(struct tls_server *s, struct buf *out);

/*
 * name: DNS name or IP literal that the certificate must have; always
 * checked.  A DNS name is sent as SNI, an address is not (RFC 6066 3).
 */
struct tls_conn *tls_conn_new_client(struct tls_client *c, const char *name,
    struct buf *out);

void tls_conn_free(struct tls_conn *t); /* NULL is fine */

/*
 * Ciphertext for the next calls; it must stay in place until it is used up or
 * replaced.  What was fed before and not used up must be its beginning.
 */
void tls_conn_feed(struct tls_conn *t, struct slice in);

/* What has not been used of the last feed. */
struct slice tls_conn_unused(const struct tls_conn *t);

/*
 * Go on with the handshake.  TLS_HELLO comes once on the server's side and
 * lets the owner look at tls_conn_server_name before any key is used; call
 * again to go on.  TLS_DONE: application data may flow.
 */
enum tls_result tls_conn_handshake(struct tls_conn *t);

/*
 * Up to room bytes of plaintext to `to`; *got is at least 1 with TLS_DONE.
 * TLS_WANT_READ: nothing more in what was fed.
 */
enum tls_result tls_conn_read(struct tls_conn *t, char *to, size_t room,
    size_t *got);

/* Decrypted bytes that wait inside; tls_conn_read gives them without feed. */
bool tls_conn_has_pending(const struct tls_conn *t);

/*
 * Encrypt from the front of data, at most one record (16 KiB) a call; *took
 * says how much.  TLS_WANT_WRITE: less than TLS_RECORD_ROOM was left in out
 * and nothing was taken.
 */
enum {
	TLS_RECORD_ROOM = 16384 + 512
};
enum tls_result tls_conn_write(struct tls_conn *t, struct slice data,
    size_t *took);

/* Append close_notify to out, if there is room. */
void tls_conn_close(struct tls_conn *t);

/* Name the client asked for, without final dot; empty: none. */
struct slice tls_conn_server_name(const struct tls_conn *t);

/* "TLSv1.3", or "" before the handshake is over. */
const char *tls_conn_version(const struct tls_conn *t);

/*
 * Server, between TLS_HELLO and the next call: ask the client for a
 * certificate.  Whatever it shows, and nothing too, is taken: client_ca.h
 * says whether it counts.  A session in which one was shown is not resumed.
 */
void tls_conn_ask_certificate(struct tls_conn *t);

/* The peer has shown a certificate. */
bool tls_conn_has_peer(const struct tls_conn *t);

/* When the peer's chain, or a part of it, ends; 0: it has shown none. */
int64_t tls_conn_peer_until_s(const struct tls_conn *t);

/* Why the last call said TLS_ERROR; constant or kept in t. */
const char *tls_conn_error(const struct tls_conn *t);

#endif
