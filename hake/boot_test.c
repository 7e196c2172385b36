/*
 * One boot test: a run of Skerry in QEMU, and whether it showed what it must.
 *
 * Standard output, which hake test keeps as the test's log, gets the console, then a line for
 * each thing that is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"
#include "test.h"

/* What was wrong so far. */
static unsigned faults;

/* Prints what is wrong, and counts it. */
#define fault(...) (faults++, printf("hake: " __VA_ARGS__), putchar('\n'))

static void check_counts(const struct item *it, const struct guest *g)
{
	for (size_t i = 0; i < it->expect.n; i++) {
		int wanted = atoi(it->expect.v[i].value), got = 0;

		for (size_t j = 0; j < g->lines.n; j++)
			got += line_is(g->lines.v[j], it->expect.v[i].key);
		if (got != wanted)
			fault("expected %d lines \"@%s\", got %d", wanted, it->expect.v[i].key,
			      got);
	}
}

/* Every test that is expected passed, and none failed. */
static void check_tests(const struct item *it, const struct guest *g)
{
	struct strv passed = {0};

	for (size_t i = 0; i < g->lines.n; i++) {
		char *name, *result;

		if (!line_is(g->lines.v[i], "test"))
			continue;
		name = line_value(g->lines.v[i], "name");
		result = line_value(g->lines.v[i], "result");
		if (!name || !result)
			fault("cannot read: %s", g->lines.v[i]);
		else if (strcmp(result, "pass") == 0)
			strv_add(&passed, name);
		else
			fault("%s", g->lines.v[i] + 1);
	}
	for (size_t i = 0; i < it->tests.n; i++) {
		if (!strv_has(&passed, it->tests.v[i]))
			fault("test %s did not say that it passed", it->tests.v[i]);
	}
	printf("hake: %zu checks of the guest passed\n", passed.n);
}

static void check_run(const struct item *it, const struct guest *g, int code)
{
	const char *trouble = guest_trouble(g);

	if (trouble)
		fault("%s", trouble);
	else if (code != it->exit)
		fault("expected exit code %d, got %d", it->exit, code);
	check_counts(it, g);
	check_tests(it, g);
	for (size_t i = 0; i < it->says.n; i++) {
		if (!strstr(g->console.v, it->says.v[i]))
			fault("the console never showed \"%s\"", it->says.v[i]);
	}
	if (it->when && !strstr(g->console.v, it->when))
		fault("the console never showed \"%s\", so nothing was typed", it->when);
}

const struct item *boot_test_find(const struct project *p, const char *name)
{
	const struct item *it = project_find(p, BOOT_TEST, name);

	if (!it)
		die("no Hakefile defines the boot test \"%s\"", name);
	return it;
}

int boot_test_main(int argc, char **argv)
{
	struct project p = {0};
	const struct item *it;
	struct guest g = {.log = STDOUT_FILENO};
	struct boot b = {0};
	u64 start;
	int code;

	if (argc != 2)
		die("usage: hake boot-test NAME");
	project_load(&p);
	it = boot_test_find(&p, argv[1]);
	boot_of_item(&b, it);
	boot_check(&p, &b);
	g.argv = boot_command(&p, &b);
	g.timeout_s = (u32)it->timeout;
	g.when = it->when;
	g.send = it->send;
	printf("hake: %s\n", strv_join(&g.argv, " "));
	fflush(stdout);
	start = now_ms();
	code = guest_run(&g);
	printf("\nhake: %.1f s in QEMU\n", (double)(now_ms() - start) / 1000);
	check_run(it, &g, code);
	return faults != 0;
}
