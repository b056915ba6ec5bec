/*
 * pem.h - does text hold certificates at all?
 *
 * A check of form for people's mistakes, not of trust: tls/ parses and
 * believes them, or does not.  Pure but for a scratch allocation.
 */
#ifndef AUTHN_PEM_H
#define AUTHN_PEM_H

#include "base/slice.h"

/*
 * NULL if text has at least one CERTIFICATE block and each of them holds one
 * DER sequence in base64; otherwise a constant phrase that says what is wrong.
 */
const char *pem_certificates_fault(struct slice text);

#endif
