/*
 * "hake build", and building what another command is about to use. See build.h.
 */
#include "build.h"

#include <stdio.h>
#include <string.h>

void build_configure(struct project *p)
{
	project_load(p);
	ninja_write(p);
}

const char *build_target(const struct project *p, const char *name)
{
	struct strv known = {0};

	if (strchr(name, '/') || strcmp(name, "image") == 0 || strcmp(name, "all") == 0)
		return name;
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i]->kind > UNIT_TEST)
			continue;
		if (strcmp(p->v[i]->name, name) == 0)
			return item_output(p->v[i]);
		strv_add(&known, p->v[i]->name);
	}
	die("no Hakefile defines \"%s\"%s", name, suggest(name, &known));
}

int build_main(int argc, char **argv)
{
	struct project p = {0};
	struct strv targets = {0};

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		puts("usage: hake/build [NAME...]\n\n"
		     "Builds everything, or the libraries, domains, programs and unit tests that "
		     "are\n"
		     "named as in the Hakefiles (or files of the build folder).\n"
		     "SKERRY_BUILD=DIR builds in another folder than build/.");
		return 0;
	}
	build_configure(&p);
	for (int i = 1; i < argc; i++)
		strv_add(&targets, build_target(&p, argv[i]));
	ninja_run(&targets);
	return 0;
}
