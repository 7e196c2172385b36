/*
 * What programs without a C library need of one: memory, strings, formatted text.
 *
 * The functions have their standard names and are declared by <string.h> and <stdio.h>, so that
 * other libraries find them without knowing; a program that has a C library does not link this one.
 *
 * Of formats, snprintf() and vsnprintf() know %c %s %d %i %u %x %p %%, the lengths l, ll and z, a
 * width, zero padding, and - for the left; a precision for %s; * for either number. Anything else
 * is printed as it is. No allocation, no locale, no floating point. Runs in: the loader, the CPU
 * driver; host tests, under other names.
 */
#ifndef BARE_BARE_H
#define BARE_BARE_H

#include <stdarg.h>
#include <stddef.h>

/* Host tests compare these functions with the C library's, so there they need other names. */
#ifndef __skerry__
#define memset    bare_memset
#define memcpy    bare_memcpy
#define memmove   bare_memmove
#define memcmp    bare_memcmp
#define strlen    bare_strlen
#define strnlen   bare_strnlen
#define strcmp    bare_strcmp
#define strncmp   bare_strncmp
#define snprintf  bare_snprintf
#define vsnprintf bare_vsnprintf
#endif

void *memset(void *to, int c, size_t n);
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);

int snprintf(char *restrict to, size_t len, const char *restrict format, ...)
	__attribute__((format(printf, 3, 4)));
int vsnprintf(char *restrict to, size_t len, const char *restrict format, va_list args);

#endif
