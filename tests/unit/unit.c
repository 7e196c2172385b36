/*
 * The main function of every unit test program. See unit.h.
 */
#include "unit.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	const char *file, *name;
	void (*fn)(void);
} tests[1024];
static size_t ntests;

void unit_register(const char *file, const char *name, void (*fn)(void))
{
	if (ntests == ARRAY_SIZE(tests)) {
		fprintf(stderr, "more than %zu tests in one program: %s\n", ntests, name);
		exit(2);
	}
	tests[ntests].file = file;
	tests[ntests].name = name;
	tests[ntests++].fn = fn;
}

void unit_differ(const char *file, int line, const char *what, s64 got, s64 wanted)
{
	printf("\n    %s:%d: %s is %ld (0x%lx), not %ld (0x%lx)", file, line, what, got, (u64)got,
	       wanted, (u64)wanted);
}

u64 unit_random(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dul;
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], name) == 0)
			return true;
	}
	return argc <= 1;
}

int main(int argc, char **argv)
{
	CU_pSuite suite = NULL;
	const char *file = "";
	size_t n = 0;
	unsigned failed;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 2;
	for (size_t i = 0; i < ntests; i++) {
		if (!wanted(tests[i].name, argc, argv))
			continue;
		if (strcmp(file, tests[i].file)) {
			file = tests[i].file;
			suite = CU_add_suite(file, NULL, NULL);
		}
		if (!suite || !CU_add_test(suite, tests[i].name, tests[i].fn))
			return 2;
		n++;
	}
	if (!n) {
		fprintf(stderr, "no test of that name\n");
		return 2;
	}
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_tests_failed();
	CU_cleanup_registry();
	return failed != 0;
}
