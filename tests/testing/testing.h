/*
 * Tests that run on Skerry: each is a function named by the behaviour that it holds the system to,
 * and becomes a line `@test name=... result=pass|fail detail=...` on the console, which hake/test
 * counts.
 */
#ifndef TESTING_H
#define TESTING_H

#include <skerry/types.h>

struct test {
	const char *name;
	void (*run)(void);
};

/** Run the tests whose names are in @argv[1...], or all; returns how many failed. */
int tests_run(const struct test *tests, u32 count, int argc, char **argv);

/** Take "name=number" away from the front of the arguments; false if something else is there. */
bool test_take_number(int *argc, char ***argv, const char *name, u64 *value);

/** Add to what the test's line says, behind its result. */
void test_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Used by the macros: remember the first failure. */
void test_failed(const char *file, int line, const char *what);
void test_differs(const char *file, int line, const char *what, s64 got, s64 expected);
bool test_has_failed(void);

#define TEST(name)                                                                                 \
	{                                                                                          \
#name, name                                                                        \
	}

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			test_failed(__FILE__, __LINE__, #condition);                               \
	} while (0)

#define CHECK_EQUAL(got, expected)                                                                 \
	do {                                                                                       \
		s64 got_ = (s64)(got), expected_ = (s64)(expected);                                \
		if (got_ != expected_)                                                             \
			test_differs(__FILE__, __LINE__, #got, got_, expected_);                   \
	} while (0)

/* The same, and leave the test's function if it does not hold. */
#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			test_failed(__FILE__, __LINE__, #condition);                               \
			return;                                                                    \
		}                                                                                  \
	} while (0)

#define REQUIRE_EQUAL(got, expected)                                                               \
	do {                                                                                       \
		s64 got_ = (s64)(got), expected_ = (s64)(expected);                                \
		if (got_ != expected_) {                                                           \
			test_differs(__FILE__, __LINE__, #got, got_, expected_);                   \
			return;                                                                    \
		}                                                                                  \
	} while (0)

/** A random number; @seed is advanced and must not be 0. */
static inline u64 test_random(u64 *seed)
{
	/* Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8 (2003) */
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

#endif
