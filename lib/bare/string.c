/*
 * Memory and strings. See bare.h.
 *
 * The processor's string instructions do the moving: short code, and fast for the long copies
 * (text, boot image) that these programs make.
 */
#include <bare/bare.h>

#include <stdint.h>

void *memset(void *to, int c, size_t n)
{
	uint64_t pattern = (uint8_t)c * 0x0101010101010101ul;
	size_t words = n / 8, rest = n % 8;
	void *at = to;

	__asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(pattern) : "memory");
	__asm__ volatile("rep stosb" : "+D"(at), "+c"(rest) : "a"(pattern) : "memory");
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	size_t words = n / 8, rest = n % 8;
	void *at = to;

	__asm__ volatile("rep movsq" : "+D"(at), "+S"(from), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(rest) : : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	/* Going up is right unless the end of the source would be overwritten on the way. */
	char *last = (char *)to + n - 1;
	const char *from_last = (const char *)from + n - 1;

	if ((uintptr_t)to - (uintptr_t)from >= n)
		return memcpy(to, from, n);
	__asm__ volatile("std; rep movsb; cld" : "+D"(last), "+S"(from_last), "+c"(n) : : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n && *x == *y; n--, x++, y++)
		;
	return n ? *x - *y : 0;
}

size_t strnlen(const char *s, size_t n)
{
	size_t len = 0;

	while (len < n && s[len])
		len++;
	return len;
}

size_t strlen(const char *s)
{
	return strnlen(s, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n && *a && *a == *b; n--, a++, b++)
		;
	return n ? (uint8_t)*a - (uint8_t)*b : 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}
