/*
 * banned.h - functions that this code never calls.
 *
 * Included before everything else by the build.  Each has a bounded or
 * reentrant counterpart; naming one of these ends the compilation.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

/* System headers that declare them come first, so that only uses break. */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef alloca
#undef strcpy
#undef strcat
#undef strncpy
#undef strtok
#undef sprintf
#pragma GCC poison strcpy strcat strncpy strtok sprintf vsprintf
#pragma GCC poison atoi atol atoll alloca gmtime localtime

#endif
