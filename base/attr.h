/*
 * attr.h - compiler attributes under names that say what they ask for.
 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#define NODISCARD         __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define COLD              __attribute__((cold))
#define LIKELY(x)         __builtin_expect(!!(x), 1)
#define UNLIKELY(x)       __builtin_expect(!!(x), 0)
/* A local of a hot path that is written before it is read: the compiler need
 * not clear it, as it does all others in release builds. */
#define UNCLEARED   __attribute__((uninitialized))
#define BIT(n)      (1u << (n))
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* The struct that holds *member; the member's address is never NULL. */
#define CONTAINER_OF(ptr, type, member)                                        \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
