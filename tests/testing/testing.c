/* See testing.h. */
#include "testing.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>

static bool failed;
static char detail[256];

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc < 2;
}

int tests_run(const struct test *tests, u32 count, int argc, char **argv)
{
	int failures = 0;

	for (u32 i = 0; i < count; i++) {
		if (!wanted(tests[i].name, argc, argv))
			continue;
		failed = false;
		detail[0] = 0;
		tests[i].run();
		printf("@test name=%s result=%s detail=\"%s\"\n", tests[i].name,
		       failed ? "fail" : "pass", detail);
		failures += failed;
	}
	return failures;
}

void test_note(const char *format, ...)
{
	size_t used = strlen(detail);
	va_list args;

	if (used && used < sizeof(detail) - 2) {
		strcpy(detail + used, "; ");
		used += 2;
	}
	va_start(args, format);
	vsnprintf(detail + used, sizeof(detail) - used, format, args);
	va_end(args);
}

bool test_has_failed(void)
{
	return failed;
}

static bool first_failure(void)
{
	bool first = !failed;

	failed = true;
	if (first)
		detail[0] = 0;
	return first;
}

void test_failed(const char *file, int line, const char *what)
{
	if (first_failure())
		test_note("%s:%d: not true: %s", file, line, what);
}

void test_differs(const char *file, int line, const char *what, s64 got, s64 expected)
{
	if (first_failure())
		test_note("%s:%d: %s is %ld, expected %ld", file, line, what, got, expected);
}

bool test_take_number(int *argc, char ***argv, const char *name, u64 *value)
{
	size_t len = strlen(name);

	if (*argc < 2 || strncmp((*argv)[1], name, len) != 0 || (*argv)[1][len] != '=')
		return false;
	*value = strtoul((*argv)[1] + len + 1, NULL, 10);
	++*argv;
	--*argc;
	return true;
}
