/*
 * Writing unit tests: each is a function named by the behaviour it holds the code to.
 *
 *   #include <unit.h>
 *
 *   TEST(ring_keeps_order)
 *   {
 *           ...
 *           CHECK_EQUAL(got, 7);
 *   }
 *
 * A test program is one or more such files (unit_test in a Hakefile); library "unit" has its
 * main function. CUnit runs the tests and reports; a check that fails does not end its test,
 * REQUIRE does. The program's arguments, if any, name the tests to run.
 */
#ifndef UNIT_H
#define UNIT_H

#include <CUnit/CUnit.h>
#include <skerry/types.h>

/* Registers test @fn of @file; called by TEST before main. */
void unit_register(const char *file, const char *name, void (*fn)(void));

/* Prints two numbers that should be equal. */
void unit_differ(const char *file, int line, const char *what, s64 got, s64 wanted);

/** A pseudo-random number from @state, which is not zero (xorshift64*): same seed, same row. */
u64 unit_random(u64 *state);

#define TEST(name)                                                                                 \
	static void name(void);                                                                    \
	__attribute__((constructor)) static void register_##name(void)                             \
	{                                                                                          \
		unit_register(__FILE__, #name, name);                                              \
	}                                                                                          \
	static void name(void)

#define CHECK(condition)   CU_ASSERT(condition)
#define REQUIRE(condition) CU_ASSERT_FATAL(condition)

/* Both are integers; they are shown when they differ. */
#define CHECK_EQUAL(got, wanted)                                                                   \
	do {                                                                                       \
		s64 got_ = (s64)(got), wanted_ = (s64)(wanted);                                    \
		if (got_ != wanted_)                                                               \
			unit_differ(__FILE__, __LINE__, #got, got_, wanted_);                      \
		CU_assertImplementation(got_ == wanted_, __LINE__, #got " == " #wanted, __FILE__,  \
					"", CU_FALSE);                                             \
	} while (0)

#define CHECK_STRING(got, wanted) CU_ASSERT_STRING_EQUAL(got, wanted)

#endif
