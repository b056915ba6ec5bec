/*
 * random.h - random numbers of the operating system.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>

/*
 * Fill n bytes at mem from getrandom(2).  Cannot fail once the system has
 * booted; if the kernel lacks the call the process ends, since nothing after
 * it could be trusted.  Thread-safe.
 */
void random_bytes(void *mem, size_t n);

/* A version 4 UUID (RFC 9562) in lower case; 36 characters and a NUL. */
void random_uuid(char out[37]);

#endif
