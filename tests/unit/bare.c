/*
 * lib/bare, held against the C library.
 */
#include <bare/bare.h> /* renames its functions: those of the C library have no prefix below */

#undef memset
#undef memcpy
#undef memmove
#undef memcmp
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef snprintf
#undef vsnprintf

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unit.h>

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

TEST(memory_functions_agree_with_the_c_library)
{
	u8 a[200] = {0}, b[200] = {0};
	u64 seed = 3;

	for (int i = 0; i < 20000; i++) {
		u64 from = unit_random(&seed) % 100, to = unit_random(&seed) % 100;
		u64 n = unit_random(&seed) % 100;
		int c = (int)(unit_random(&seed) % 256);

		for (u32 at = 0; at < sizeof(a); at++)
			a[at] = b[at] = (u8)unit_random(&seed);
		memmove(a + to, a + from, n);
		CHECK(bare_memmove(b + to, b + from, n) == b + to);
		CHECK(memcmp(a, b, sizeof(a)) == 0);
		memset(a + from, c, n);
		CHECK(bare_memset(b + from, c, n) == b + from);
		CHECK(memcmp(a, b, sizeof(a)) == 0);
		memcpy(a + 100, a, to);
		bare_memcpy(b + 100, b, to);
		CHECK(memcmp(a, b, sizeof(a)) == 0);
		CHECK_EQUAL(sign(bare_memcmp(a + to, a + from, n)),
			    sign(memcmp(a + to, a + from, n)));
	}
}

TEST(string_functions_agree_with_the_c_library)
{
	static const char *const texts[] = {"", "a", "ab", "abc", "abd", "b", "\x80", "a\x80"};

	for (u32 i = 0; i < ARRAY_SIZE(texts); i++) {
		CHECK_EQUAL(bare_strlen(texts[i]), strlen(texts[i]));
		for (u32 j = 0; j < ARRAY_SIZE(texts); j++) {
			CHECK_EQUAL(sign(bare_strcmp(texts[i], texts[j])),
				    sign(strcmp(texts[i], texts[j])));
			for (u64 n = 0; n < 4; n++)
				CHECK_EQUAL(sign(bare_strncmp(texts[i], texts[j], n)),
					    sign(strncmp(texts[i], texts[j], n)));
		}
		for (u64 n = 0; n < 4; n++)
			CHECK_EQUAL(bare_strnlen(texts[i], n), strnlen(texts[i], n));
	}
}

/* Both must print the same text and return the same number, whatever room there is. */
#define AGREES(...)                                                                                \
	do {                                                                                       \
		for (u64 room = 0; room < 70; room++) {                                            \
			char got[80] = "untouched", wanted[80] = "untouched";                      \
			CHECK_EQUAL(bare_snprintf(got, room, __VA_ARGS__),                         \
				    snprintf(wanted, room, __VA_ARGS__));                          \
			CHECK_STRING(got, wanted);                                                 \
		}                                                                                  \
	} while (0)

#pragma GCC diagnostic ignored "-Wformat-truncation" /* that is what is tested */

TEST(formats_agree_with_the_c_library)
{
	AGREES("plain %% text");
	AGREES("%d %d %d", 0, -1, -2147483647 - 1);
	AGREES("%i|%5d|%-5d|%05d", 42, 42, 42, -42);
	AGREES("%u %x %08x", UINT32_MAX, 0xabcdu, 0x12u);
	AGREES("%ld %lu %lx", LONG_MIN, ULONG_MAX, ULONG_MAX);
	AGREES("%zu %lld %llx", sizeof(int), -5ll, 0x123456789abcull);
	AGREES("%016lx %20lu|%-20lu|", 1ul << 40, 7ul, 7ul);
	AGREES("%s|%10s|%-10s|%.2s|%10.3s|", "text", "text", "text", "text", "text");
	AGREES("%*d|%*d|%.*s|%-*.*s|", 6, 42, -6, 42, 2, "text", 7, 3, "text");
	AGREES("%c%c%5c|", 'a', 'b', 'c');
	AGREES("%p", (void *)0xffffffff80001234ul);
}
