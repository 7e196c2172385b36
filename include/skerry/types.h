/*
 * The integer types and small helpers that every part of Skerry uses, in ring 0, in native
 * domains, in the loader and on the build host alike.
 */
#ifndef SKERRY_TYPES_H
#define SKERRY_TYPES_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#define PAGE_SHIFT    12
#define PAGE_SIZE     4096ul

#define KiB           (1024ul)
#define MiB           (1024ul * KiB)
#define GiB           (1024ul * MiB)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* @x rounded down and up to a multiple of @to, a power of two. */
#define ROUND_DOWN(x, to) ((x) & ~((__typeof__(x))(to)-1))
#define ROUND_UP(x, to)   ROUND_DOWN((x) + (__typeof__(x))(to)-1, to)

#define MIN(a, b)         ((a) < (b) ? (a) : (b))
#define MAX(a, b)         ((a) > (b) ? (a) : (b))

/* What a branch most often finds, where the order of code matters: the hot paths. */
#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* The structure of @type whose @member is at @ptr. */
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#endif
